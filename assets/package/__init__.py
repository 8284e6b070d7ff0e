"""Builds the extension's zip: what goes in, with which wheels, under which manifest."""
