"""The character as files for other programs."""
