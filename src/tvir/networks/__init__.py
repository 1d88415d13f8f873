"""Networks without training: they know shapes, not losses or loops."""
