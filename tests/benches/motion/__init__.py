"""The parts of the motion bench."""
