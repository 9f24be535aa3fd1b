"""The sides of every table: ours in each format, then other projects' and their formats."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

import adamas
from benchmarks.fidelity.emulated import Emulated
from benchmarks.fidelity.foreign import bitsandbytes_8bit, torch_bfloat16, torchao
from benchmarks.fidelity.formats import root_uint8, softsign_int8
from benchmarks.fidelity.side import Hypers, Make, Params, Side, Stepper

BASELINE = "float32"
AdamW: Callable[..., Any] = adamas.AdamW


class AdamasStepper:
    """AdamW of adamas over float32 arrays."""

    def __init__(self, params: Mapping[str, Any], hypers: Hypers, **settings: Any) -> None:
        self.optimizer = AdamW(
            dict(params),
            lr=1e-3,
            weight_decay=hypers.weight_decay,
            beta1=hypers.beta1,
            beta2=hypers.beta2,
            eps=hypers.eps,
            **settings,
        )

    def step(self, grads: Mapping[str, Any], lr: float) -> None:
        """Update the arrays in place."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step(dict(grads))


def every(state: str) -> Callable[[str, NDArray[Any]], str]:
    """A rule that keeps every parameter's moments in `state`, however small or sensitive it is."""
    return lambda key, array: state


def ours(state: Any) -> Make:
    """AdamW of adamas with its moments kept in `state`."""
    return lambda params, hypers, seed: AdamasStepper(params, hypers, state=state, seed=seed)


def float32(params: Params, hypers: Hypers, seed: int) -> Stepper:
    """AdamW of adamas with float32 state, as it comes."""
    return AdamasStepper(params, hypers)


class Faster:
    """Float32 state at 1.02 times the lr: how much a final loss hangs on the size of updates."""

    def __init__(self, params: Params, hypers: Hypers, seed: int) -> None:
        self.inner = AdamasStepper(params, hypers)

    def step(self, grads: Params, lr: float) -> None:
        """Update the arrays in place."""
        self.inner.step(grads, 1.02 * lr)


class Narrow:
    """AdamW of adamas over bfloat16 copies, whose values the float32 arrays of the model show."""

    def __init__(self, params: Params, hypers: Hypers, seed: int, **settings: Any) -> None:
        self.shown = params
        self.kept = {key: p.astype(ml_dtypes.bfloat16) for key, p in params.items()}
        self.inner = AdamasStepper(self.kept, hypers, seed=seed, **settings)
        self._show()

    def _show(self) -> None:
        for key, p in self.shown.items():
            p[...] = self.kept[key].astype(np.float32)

    def step(self, grads: Params, lr: float) -> None:
        """Update with gradients in bfloat16."""
        self.inner.step({k: g.astype(ml_dtypes.bfloat16) for k, g in grads.items()}, lr)
        self._show()


class Master:
    """Float32 parameters that the model sees rounded to bfloat16: what mixed precision does."""

    def __init__(self, params: Params, hypers: Hypers, seed: int) -> None:
        self.shown = params
        for p in params.values():
            p[...] = p.astype(ml_dtypes.bfloat16)
        self.kept = {key: p.copy() for key, p in params.items()}
        self.inner = AdamasStepper(self.kept, hypers)

    def step(self, grads: Params, lr: float) -> None:
        """Update with gradients that were rounded to bfloat16."""
        self.inner.step(
            {k: g.astype(ml_dtypes.bfloat16).astype(np.float32) for k, g in grads.items()}, lr
        )
        for key, p in self.shown.items():
            p[...] = self.kept[key].astype(ml_dtypes.bfloat16)


def narrow(**settings: Any) -> Make:
    """AdamW of adamas with bfloat16 parameters and gradients."""
    return lambda params, hypers, seed: Narrow(params, hypers, seed, **settings)


OURS = (
    Side(BASELINE, float32, 8.0),
    Side("bfloat16", ours(every("bfloat16")), 4.0, "every tensor"),
    Side("int8", ours(every("int8")), 2.02, "every tensor"),
    Side("int8, default rule", ours("int8"), 2.02, "tensors below 4,096 elements stay in float32"),
    Side("int4", ours(every("int4")), 1.02, "every tensor"),
)

YARDSTICK = Side("float32, lr 2 % higher", Faster, 8.0, "no format: a yardstick for the others")

FLASH = Emulated(softsign_int8, root_uint8, block=32)

PEERS = (
    Side("bitsandbytes AdamW8bit", bitsandbytes_8bit, 2.03, "0.50, CPU, min_8bit_size=0"),
    Side("FlashOptim, format emulated", FLASH, 2.13, "arXiv:2602.23349, round to nearest"),
)

# They keep tensors below 4,096 elements in float32 and cannot be told otherwise.
TORCHAO = (
    Side("torchao AdamW8bit", torchao(8), 2.03, "tensors below 4,096 elements stay in float32"),
    Side("torchao AdamW4bit", torchao(4), 1.06, "tensors below 4,096 elements stay in float32"),
)

# Bytes count what is kept beside the two bytes of the parameter.
NARROW = (
    Side(BASELINE, Master, 12.0, "float32 master weights and state"),
    Side("torch AdamW, all bfloat16", torch_bfloat16, 4.0, "fused, round to nearest"),
    Side("stochastic, int8 state", narrow(state=every("int8")), 2.02),
    Side("8 more bits, int8 state", narrow(state=every("int8"), master=8), 3.02),
    Side("16 more bits, int8 state", narrow(state=every("int8"), master=16), 4.02),
    Side("16 more bits, float32 state", narrow(state=every("float32"), master=16), 10.0),
)


def installed(sides: tuple[Side, ...], module: str) -> tuple[Side, ...]:
    """The sides if their package is there."""
    return sides if find_spec(module) else ()
