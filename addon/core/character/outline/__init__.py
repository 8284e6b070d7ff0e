"""The person's outline, and the body's warp to it."""
