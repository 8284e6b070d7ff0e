"""What stops a package from being built."""


class PackageError(Exception):
    """One sentence that says what to do."""
