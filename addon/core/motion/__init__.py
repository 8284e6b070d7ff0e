"""Motions: where they come from, how they become clips, and how a character performs them."""
