"""From body maps to a textured, skinned mesh with the photo's exact silhouette."""
