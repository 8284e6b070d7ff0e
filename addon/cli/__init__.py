"""The command: arguments, one photo's run, a folder of photos, and what is printed."""
