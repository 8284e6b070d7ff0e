"""Weights that bind the character's vertices to its bones."""
