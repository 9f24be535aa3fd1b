"""What every optimizer takes besides its hyper-parameters, for editors and type checkers."""

from typing import Literal, TypedDict

from adamas.engine.storage import Spec

OnNonFinite = Literal["raise", "skip", "allow"]
"""What a step does about NaN or infinity in a gradient."""


class Options(TypedDict, total=False):
    """What every optimizer takes besides its hyper-parameters; see `Optimizer`."""

    state: Spec
    master: Literal[8, 16] | None
    seed: int
    clip_norm: float | None
    on_nonfinite: OnNonFinite
    ema: float | None
    zero_grads: bool
    maximize: bool
    rows: Literal["lazy", "exact"]
    threads: int | None


OPTIONS = frozenset(Options.__annotations__)
