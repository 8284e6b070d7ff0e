"""The character's texture: charts, their labels, hidden parts, the atlas, normals."""
