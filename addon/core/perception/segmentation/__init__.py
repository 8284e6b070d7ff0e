"""One person's pixels: silhouette and soft edge."""
