"""Clips, BVH files and their retargeting to the character's skeleton."""
