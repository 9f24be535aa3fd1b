"""Hyper-parameters as functions of the step: `from adamas.schedule import cosine, warmup`."""

from adamas.schedule.parsing import parse
from adamas.schedule.shapes import (
    Schedule,
    constant,
    cosine,
    exponential,
    linear,
    one_cycle,
    step,
    warmup,
    wsd,
)

__all__ = [
    "Schedule", "constant", "cosine", "exponential", "linear", "one_cycle", "parse", "step",
    "warmup", "wsd",
]  # fmt: skip
