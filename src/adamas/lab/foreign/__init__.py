"""Optimizers that others wrote: of PyTorch's kind, of optax, or classes on NumPy's arrays."""
