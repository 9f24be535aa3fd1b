"""Finding a learning rate: a number, an interval and its cost, from short runs and not a slope."""

from adamas.lab.finder.answer import Found
from adamas.lab.finder.range_test import Curve
from adamas.lab.finder.trials import Train, Wanted, find_lr, movable

__all__ = ["Wanted", "Curve", "Found", "Train", "find_lr", "movable"]
