"""Written by tools/write_stubs.py from adamas.rules; edits here are lost."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict, Unpack

from adamas.engine.optimizer import Optimizer
from adamas.engine.options import OnNonFinite
from adamas.engine.settings import Hyper
from adamas.engine.storage import Spec

CLASSES: dict[str, Callable[..., Any]]

def hypers(rule: Callable[..., Any]) -> dict[str, float]: ...

class Options(TypedDict, total=False):
    state: Spec
    state_dir: str | os.PathLike[str] | None
    master: Literal[8, 16] | None
    seed: int
    clip_norm: float | None
    on_nonfinite: OnNonFinite
    track_norm: bool
    ema: float | None
    zero_grads: bool
    maximize: bool
    rows: Literal["lazy", "exact"]
    threads: int | None
    observe: bool
    routes: Mapping[str, Any] | None

class SGD(Optimizer):
    """Stochastic gradient descent steps against the gradient."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Momentum(Optimizer):
    """Heavy-ball momentum steps along a decaying sum of all gradients."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta: Hyper = 0.9,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Nesterov(Optimizer):
    """Nesterov momentum steps on to the point that the momentum alone would reach next."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta: Hyper = 0.9,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Adagrad(Optimizer):
    """Adagrad divides each coordinate by the root of the sum of its squared gradients."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.01,
        *,
        eps: Hyper = 1e-10,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class RMSprop(Optimizer):
    """RMSProp divides by the root of a moving average of the squared gradients."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.01,
        *,
        beta2: Hyper = 0.99,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class CenteredRMSprop(Optimizer):
    """Centered RMSProp divides by the gradient's standard deviation."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.01,
        *,
        beta2: Hyper = 0.99,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Adadelta(Optimizer):
    """Adadelta scales the step by the root mean square of its own past steps."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 1.0,
        *,
        rho: Hyper = 0.9,
        eps: Hyper = 1e-06,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Adam(Optimizer):
    """Adam divides the mean gradient by its root mean square, both corrected for their zero start."""  # noqa: E501

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class AdamW(Optimizer):
    """AdamW decays the parameter directly instead of through the gradient."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.01,
        **options: Unpack[Options],
    ) -> None: ...

class AMSGrad(Optimizer):
    """AMSGrad divides by the largest second moment seen so far."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Adamax(Optimizer):
    """Adamax divides by a decaying maximum of the gradient's absolute value."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.002,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class NAdam(Optimizer):
    """NAdam is Adam whose step looks ahead with the next step's momentum."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.002,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        momentum_decay: Hyper = 0.004,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class RAdam(Optimizer):
    """RAdam divides by the root only once enough steps make its variance finite."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class AdaBelief(Optimizer):
    """AdaBelief divides by how far the gradient strays from its own mean."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-16,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class AdamAtan2(Optimizer):
    """Adam-atan2 takes an angle instead of a quotient, which needs no eps and has a limit."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        a: Hyper = 1.27,
        b: Hyper = 1.0,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class AdamC(Optimizer):
    """AdamC is AdamW whose decay falls with the square of lr, so that norms keep their level."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        max_lr: Hyper = 0.0,
        weight_decay: Hyper = 0.01,
        **options: Unpack[Options],
    ) -> None: ...

class CautiousDecayAdamW(Optimizer):
    """AdamW with cautious weight decay shrinks a coordinate only where its step does so, too."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.01,
        **options: Unpack[Options],
    ) -> None: ...

class LaProp(Optimizer):
    """LaProp divides each gradient by the root first and averages what comes of it."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.0004,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-15,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Adopt(Optimizer):
    """ADOPT divides by the second moment of the steps before, and averages afterwards."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.9999,
        eps: Hyper = 1e-06,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Grams(Optimizer):
    """Grams steps as far as Adam, but in the direction of the gradient of the step."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-06,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Signum(Optimizer):
    """Signum steps by the sign of the mean gradient, so every coordinate moves by lr."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.0001,
        *,
        beta: Hyper = 0.9,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Lion(Optimizer):
    """Lion steps by the sign of a mean gradient, so every coordinate moves by lr."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.0001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.99,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class AdEMAMix(Optimizer):
    """AdEMAMix adds to AdamW's mean gradient a second, much slower one."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        beta3: Hyper = 0.9999,
        alpha: Hyper = 5.0,
        alpha_warmup: Hyper = 0,
        beta3_warmup: Hyper = 0,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Adan(Optimizer):
    """Adan adds the mean gradient difference, an estimate of Nesterov's look-ahead."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.98,
        beta2: Hyper = 0.92,
        beta3: Hyper = 0.99,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Mars(Optimizer):
    """MARS gives AdamW gradients that their own change corrects, each tensor's cut to norm 1."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.003,
        *,
        beta1: Hyper = 0.95,
        beta2: Hyper = 0.99,
        gamma: Hyper = 0.025,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class ScheduleFreeSGD(Optimizer):
    """Schedule-Free SGD replaces the lr schedule by a running average of the iterates."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 1.0,
        *,
        beta1: Hyper = 0.9,
        r: Hyper = 0.0,
        weight_lr_power: Hyper = 2.0,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class ScheduleFreeAdamW(Optimizer):
    """Schedule-Free AdamW replaces the lr schedule by a running average of the iterates."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.0025,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        r: Hyper = 0.0,
        weight_lr_power: Hyper = 2.0,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class ScheduleFreeRAdam(Optimizer):
    """Schedule-Free RAdam is `schedule_free_adamw` warmed up by the rectification of RAdam."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.0025,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        r: Hyper = 0.0,
        weight_lr_power: Hyper = 2.0,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class MaskedAdamW(Optimizer):
    """Masked AdamW skips every coordinate whose step would not go against its gradient."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.01,
        **options: Unpack[Options],
    ) -> None: ...

class CautiousAdamW(Optimizer):
    """Cautious AdamW moves the coordinates that go against their gradient, for the others too."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.01,
        **options: Unpack[Options],
    ) -> None: ...

class Lars(Optimizer):
    """LARS gives every tensor a step in proportion to the norm of its parameters."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 1.0,
        *,
        beta: Hyper = 0.9,
        trust_coefficient: Hyper = 0.001,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Lamb(Optimizer):
    """LAMB gives Adam's step the norm of the parameters that it changes, tensor by tensor."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-06,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class AdamH(Optimizer):
    """AdamH keeps the norm of every tensor as it began, and turns it by lr times Adam's step."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.01,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        **options: Unpack[Options],
    ) -> None: ...

class StableAdamW(Optimizer):
    """StableAdamW takes a shorter step with every tensor whose gradients outgrew their mean square."""  # noqa: E501

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.99,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.01,
        **options: Unpack[Options],
    ) -> None: ...

class Adafactor(Optimizer):
    """Adafactor keeps one number a row and one a column in place of a whole second moment."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.01,
        *,
        beta2_decay: Hyper = -0.8,
        eps1: Hyper = 1.1920929e-07,
        eps2: Hyper = 0.001,
        d: Hyper = 1.0,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Came(Optimizer):
    """CAME is Adafactor with momentum that trusts less what strays from its own mean."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.0002,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        beta3: Hyper = 0.9999,
        eps1: Hyper = 1e-30,
        eps2: Hyper = 1e-16,
        d: Hyper = 1.0,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Prodigy(Optimizer):
    """Prodigy is Adam that finds its own lr from how far all parameters have come."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 1.0,
        *,
        beta1: Hyper = 0.9,
        beta2: Hyper = 0.999,
        eps: Hyper = 1e-08,
        d0: Hyper = 1e-06,
        d_coef: Hyper = 1.0,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class Muon(Optimizer):
    """Muon steps along the momentum with all its singular values made equal."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.02,
        *,
        beta: Hyper = 0.95,
        weight_decay: Hyper = 0.0,
        **options: Unpack[Options],
    ) -> None: ...

class NorMuon(Optimizer):
    """NorMuon gives every row of Muon's step the same length over time."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.95,
        beta2: Hyper = 0.95,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.1,
        **options: Unpack[Options],
    ) -> None: ...

class AdaMuon(Optimizer):
    """AdaMuon divides each coordinate of Muon's step by its root mean square over time."""

    def __init__(
        self,
        params: Any,
        lr: Hyper = 0.001,
        *,
        beta1: Hyper = 0.95,
        beta2: Hyper = 0.95,
        eps: Hyper = 1e-08,
        weight_decay: Hyper = 0.1,
        **options: Unpack[Options],
    ) -> None: ...
