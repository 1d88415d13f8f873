"""What metrics look through: one extractor per file, found by walking."""
