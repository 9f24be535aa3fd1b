"""adamas for PyTorch: `from adamas.torch import AdamW` in place of `from torch.optim import AdamW`.

Real `torch.optim.Optimizer`s whose steps run in the engine's kernels on the tensors' own memory.
"""

from importlib.util import find_spec

if find_spec("torch") is None:
    raise ImportError("adamas.torch needs PyTorch; install it with: pip install 'adamas[torch]'")

from adamas.torch.base import Optimizer, release_gradients
from adamas.torch.classes import (
    SGD,
    AdaBelief,
    Adadelta,
    Adagrad,
    Adam,
    AdamAtan2,
    Adamax,
    AdamC,
    AdamW,
    Adan,
    AdEMAMix,
    Adopt,
    AMSGrad,
    CautiousAdamW,
    CautiousDecayAdamW,
    CenteredRMSprop,
    Grams,
    LaProp,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    RAdam,
    RMSprop,
    ScheduleFreeAdamW,
    ScheduleFreeRAdam,
    ScheduleFreeSGD,
    Signum,
    optimizer,
)
from adamas.torch.openmp import install

__all__ = [
    "SGD", "AMSGrad", "AdEMAMix", "AdaBelief", "Adadelta", "Adagrad", "Adam", "AdamAtan2", "AdamC",
    "AdamW", "Adamax", "Adan", "Adopt", "CautiousAdamW", "CautiousDecayAdamW", "CenteredRMSprop",
    "Grams", "LaProp", "Lion", "Momentum", "NAdam", "Nesterov", "Optimizer", "RAdam", "RMSprop",
    "ScheduleFreeAdamW", "ScheduleFreeRAdam", "ScheduleFreeSGD", "Signum", "optimizer",
    "release_gradients",
]  # fmt: skip

install()
