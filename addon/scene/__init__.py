"""Finished values to Blender datablocks. No algorithms here."""
