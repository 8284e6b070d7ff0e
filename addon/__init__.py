"""Photo Wake-Up: one photo of a person becomes a rigged, textured character in Blender."""
