"""Illnesses of training: how each is recognised, in the log of a run or in its model."""
