"""Figures that no network knows: cut out and read by their outline."""
