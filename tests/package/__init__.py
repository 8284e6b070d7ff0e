"""The finished zip in a Blender that has nothing else."""
