"""What written kernels call, compiled once and kept."""
