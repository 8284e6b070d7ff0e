"""A clip performed by one character: timing, path, picture and the way in from the photo's pose."""
