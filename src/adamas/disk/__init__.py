"""State on disk: arrays that are memory maps of files, stepped whole or not at all."""
