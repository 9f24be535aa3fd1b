"""What every page of adamas is made of: a frame, elements, sentences in two languages."""
