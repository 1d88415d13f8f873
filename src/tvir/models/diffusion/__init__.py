"""Diffusion and flow matching: a network that takes noise away, called many times."""

EXTRA = "families"
