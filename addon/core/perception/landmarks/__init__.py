"""Landmarks of bodies, faces and hands."""
