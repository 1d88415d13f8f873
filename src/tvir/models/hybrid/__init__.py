"""Hybrids: models composed of a VAE and a GAN."""
