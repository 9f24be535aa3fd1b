"""The guide for learners: chapters with something to try, and a playground, from the formulas."""
