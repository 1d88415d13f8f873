"""Controls: fitted at once, without a step. No network may lose to them."""
