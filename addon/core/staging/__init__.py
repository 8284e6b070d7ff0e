"""What is around a character: where the sun stands, and how the camera moves."""
