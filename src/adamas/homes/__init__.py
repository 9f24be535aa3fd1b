"""The homes of Adam: what torch, optax and Keras call the rules, their numbers and their states."""
