"""Judging: features, one metric per file, the scorecard."""
