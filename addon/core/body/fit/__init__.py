"""A body laid over a person: the objective's terms and their minimisation."""
