"""Finished values to Blender datablocks. No algorithms here.

`build.build_scene` makes everything of one result in one collection; `build.find_parts` finds it
again; `render` and `export` work on such a collection.
"""
