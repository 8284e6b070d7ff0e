"""The README's pictures, made from the demo photo."""
