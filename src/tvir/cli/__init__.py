"""The tvir command."""
