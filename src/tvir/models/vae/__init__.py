"""Variational autoencoders: posterior x prior x likelihood."""
