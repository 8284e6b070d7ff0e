"""Bars of the character."""
