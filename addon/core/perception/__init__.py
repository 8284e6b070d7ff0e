"""Finding people in a photo: boxes, landmarks, masks and mattes."""
