"""How a run ended: in which way it failed, or whether training was of any use."""

from math import isfinite
from typing import Literal

from adamas.lab.trial import Record

End = Literal["not_finite", "blown_up", "raised", "worse", "trained"]


def ending(record: Record) -> End:
    """Return how a run ended.

    It failed when its last loss is "not_finite", or both losses ended far above their start
    ("blown_up", see `trial.lost`), or somebody else's optimizer "raised" an error. A run that ended
    above the loss it started from is "worse" than no training, and a number all the same; any other
    is "trained".
    """
    if record.error:
        return "raised"
    if not isfinite(record.losses[-1]):
        return "not_finite"
    if record.diverged:
        return "blown_up"
    return "worse" if record.final > record.losses[0] else "trained"
