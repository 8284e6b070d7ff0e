"""Computation: arrays and frozen dataclasses in and out. Never imports bpy or mathutils."""
