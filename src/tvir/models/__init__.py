"""One file is one model; its name is its file name. Found by walking, never listed by hand."""
