"""One file per kind of source; decoding once into a memory-mapped cache."""
