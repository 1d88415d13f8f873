"""Generative adversarial networks: loss x regulariser x network."""
