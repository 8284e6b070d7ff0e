"""The datablocks of a result: meshes, materials, images, background, lights and path."""
