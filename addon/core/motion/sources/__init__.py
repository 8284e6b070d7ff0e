"""Where motions come from: files, sampled armatures and the built-in clips, by name."""
