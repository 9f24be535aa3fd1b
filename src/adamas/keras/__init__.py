"""adamas for Keras 3: `adamas.keras.Adam` in place of `keras.optimizers.Adam`.

Real `keras.optimizers.Optimizer`s on the TensorFlow, JAX and torch backends, whichever Keras uses.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if find_spec("keras") is None:
    raise ImportError("adamas.keras needs Keras; install it with: pip install 'adamas[keras]'")

from adamas.keras.classes import (  # isort: skip
    SGD, AMSGrad, AdEMAMix, AdaBelief, Adadelta, Adafactor, Adagrad, Adam, AdamAtan2, AdamC, AdamH,
    AdamW, Adamax, Adan, Adopt, Came, CautiousAdamW, CautiousDecayAdamW, CenteredRMSprop, Grams,
    LaProp, Lamb, Lars, Lion, Mars, MaskedAdamW, Momentum, NAdam, Nesterov, Prodigy, RAdam, RMSprop,
    ScheduleFreeAdamW, ScheduleFreeRAdam, ScheduleFreeSGD, Signum, StableAdamW, optimizer,
)  # fmt: skip
from adamas.classes import CLASSES
from adamas.keras.optimizer import Optimizer

Nadam = NAdam

__all__ = [
    "SGD", "AMSGrad", "AdEMAMix", "AdaBelief", "Adadelta", "Adafactor", "Adagrad", "Adam",
    "AdamAtan2", "AdamC", "AdamH", "AdamW", "Adamax", "Adan", "Adopt", "Came", "CautiousAdamW",
    "CautiousDecayAdamW", "CenteredRMSprop", "Grams", "LaProp", "Lamb", "Lars", "Lion", "Mars",
    "MaskedAdamW", "Momentum", "NAdam", "Nadam", "Nesterov", "Optimizer", "Prodigy", "RAdam",
    "RMSprop", "ScheduleFreeAdamW", "ScheduleFreeRAdam", "ScheduleFreeSGD", "Signum", "StableAdamW",
    "optimizer",
]  # fmt: skip

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        # A rule that Keras has no place for: its class refuses with the reason when it is called.
        if name in CLASSES:
            return optimizer(CLASSES[name])
        raise AttributeError(f"module 'adamas.keras' has no attribute {name!r}")
