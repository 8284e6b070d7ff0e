"""Which part each pixel shows, and limbs that are divided off as layers."""
