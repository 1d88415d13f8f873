"""One file, one illness."""
