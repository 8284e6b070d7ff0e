"""The camera and what it sees: settings, stills and films."""
