"""What users drag: controls of limbs, the posed body, joints over the photo."""
