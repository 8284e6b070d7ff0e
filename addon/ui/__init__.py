"""Properties, panels and preferences. draw() computes nothing."""
