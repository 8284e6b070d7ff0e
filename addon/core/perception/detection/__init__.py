"""Where people are in the photo, and which way up."""
