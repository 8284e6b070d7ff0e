"""The plate: what was behind the person."""
