"""Solvers, rotations and easing, which all rooms share."""
