"""Finding a learning rate: a number, an interval and its cost, from short runs and not a slope."""

from adamas.lab.finder.answer import Found
from adamas.lab.finder.range_test import Curve
from adamas.lab.finder.trials import Ask, Train, find_lr

__all__ = ["Ask", "Curve", "Found", "Train", "find_lr"]
