"""Motions in Blender: actions and F-curves, sources, clips and their performance."""
