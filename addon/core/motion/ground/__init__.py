"""Bodies on the ground: their flesh, the floor under a motion, and contacts that are locked."""
