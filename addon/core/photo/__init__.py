"""Reading a photo: its file, orientation, colours, transparency and focal length."""
