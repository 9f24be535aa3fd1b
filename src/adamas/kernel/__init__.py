"""Text in, machine code out."""
