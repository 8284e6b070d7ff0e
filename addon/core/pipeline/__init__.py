"""A photo's way through the stages: which there are, how they are run, and where users step in."""
