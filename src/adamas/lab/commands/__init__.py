"""What a command of the lab does once its words are understood."""
