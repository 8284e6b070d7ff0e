"""File formats of other programs, where Blender's own exporters do not go far enough."""
