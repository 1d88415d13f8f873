"""Normalising flows: networks that can be run backwards, and so know the exact density of an example."""

EXTRA = "families"
