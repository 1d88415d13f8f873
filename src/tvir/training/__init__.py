"""The one trainer: optimisers, precision, averaging, counting, checkpoints, logs, processes."""
