"""Train, resume, sample, evaluate, compare, show: one plain function each, the Python API."""
