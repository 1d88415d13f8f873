"""Networks without training: they know shapes, not losses or loops."""

# Every published architecture can be named wherever networks are.
from tvir.networks import architectures as architectures
