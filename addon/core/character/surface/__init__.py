"""From flat layers to surfaces: triangles, depth, and seams."""
