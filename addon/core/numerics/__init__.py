"""Solvers and functions of numbers that know nothing of pictures and bodies."""
