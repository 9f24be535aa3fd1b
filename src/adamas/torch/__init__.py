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
    optimizer,
)
from adamas.torch.openmp import install

__all__ = [
    "SGD", "AMSGrad", "AdEMAMix", "AdaBelief", "AdaMuon", "Adadelta", "Adafactor", "Adagrad",
    "Adam", "AdamAtan2", "AdamC", "AdamH", "AdamW", "Adamax", "Adan", "Adopt", "Came",
    "CautiousAdamW", "CautiousDecayAdamW", "CenteredRMSprop", "Grams", "LaProp", "Lamb", "Lars",
    "Lion", "Mars", "MaskedAdamW", "Momentum", "Muon", "NAdam", "Nesterov", "NorMuon",
    "Optimizer", "Prodigy", "RAdam", "RMSprop", "ScheduleFreeAdamW", "ScheduleFreeRAdam",
    "ScheduleFreeSGD", "Signum", "StableAdamW", "optimizer", "release_gradients",
]  # fmt: skip

install()
