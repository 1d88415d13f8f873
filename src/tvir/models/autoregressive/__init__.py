"""Autoregressive models: one number after the other, each given all before it, and so an exact likelihood."""
