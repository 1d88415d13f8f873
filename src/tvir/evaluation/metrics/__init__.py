"""One way of judging per file. A file placed here is found by walking; no list names it."""
