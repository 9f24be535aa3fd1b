"""adamas: the Adam family of optimizers, each rule written once, as its paper writes it."""

from typing import TYPE_CHECKING

from adamas import rules, schedule, words
from adamas.classes import (
    SGD,
    AdaBelief,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    AdamAtan2,
    Adamax,
    AdamC,
    AdamH,
    AdaMuon,
    AdamW,
    Adan,
    AdEMAMix,
    Adopt,
    AMSGrad,
    Came,
    CautiousAdamW,
    CautiousDecayAdamW,
    CenteredRMSprop,
    Grams,
    Lamb,
    LaProp,
    Lars,
    Lion,
    Mars,
    MaskedAdamW,
    Momentum,
    Muon,
    NAdam,
    Nesterov,
    NorMuon,
    Prodigy,
    RAdam,
    RMSprop,
    ScheduleFreeAdamW,
    ScheduleFreeRAdam,
    ScheduleFreeSGD,
    Signum,
    StableAdamW,
)
from adamas.define import Rule, rule
from adamas.disk.maps import open_params
from adamas.engine.finite import NonFiniteError
from adamas.engine.gradients import Rows
from adamas.engine.optimizer import Optimizer
from adamas.engine.storage import careful
from adamas.files.background import Saving
from adamas.files.checkpoint import Checkpoint
from adamas.files.public import open_file, save
from adamas.homes.convert import convert
from adamas.kernel.text import FormulaError

__all__ = [
    "SGD", "AMSGrad", "AdEMAMix", "AdaBelief", "AdaMuon", "Adadelta", "Adafactor", "Adagrad",
    "Adam", "AdamAtan2", "AdamC", "AdamH", "AdamW", "Adamax", "Adan", "Adopt", "Came",
    "CautiousAdamW", "CautiousDecayAdamW", "CenteredRMSprop", "Checkpoint", "FormulaError",
    "Grams", "LaProp", "Lamb", "Lars", "Lion", "Mars", "MaskedAdamW", "Momentum", "Muon", "NAdam",
    "Nesterov", "NonFiniteError", "NorMuon", "Optimizer", "Prodigy", "RAdam", "RMSprop", "Rows",
    "Rule", "Saving", "ScheduleFreeAdamW", "ScheduleFreeRAdam", "ScheduleFreeSGD", "Signum",
    "StableAdamW", "careful", "convert", "open_file", "open_params", "rule", "rules", "save",
    "schedule", "words",
]  # fmt: skip

if TYPE_CHECKING:
    # A declared `__getattr__` would make type checkers believe in every misspelt name.
    __version__: str
else:

    def __getattr__(name: str) -> str:
        # importlib.metadata takes 15 ms to import, for a number that few ask for.
        if name == "__version__":
            from adamas.kernel.build import adamas_version

            return adamas_version()
        known = name in ("jax", "keras", "lab", "scipy", "torch")
        hint = f"; write `import adamas.{name}` first" if known else ""
        raise AttributeError(f"module 'adamas' has no attribute {name!r}{hint}")
