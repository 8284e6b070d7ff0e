"""SMPL-format bodies: the model, its fit to a person, and its maps seen by the photo's camera."""
