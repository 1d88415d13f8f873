"""One plain function for each thing people do: train, resume, sample, evaluate, compare, show. The Python API.

The command line only parses arguments for these functions and prints what they return.
"""
