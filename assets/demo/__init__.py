"""The demo photo: a dressed body rendered in a courtyard, with its exact ground truth."""
