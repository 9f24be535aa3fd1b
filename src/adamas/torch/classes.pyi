"""Written by tools/write_stubs.py from adamas.homes.torch; edits here are lost."""

import inspect
from collections.abc import Callable
from typing import Any

from adamas.homes.signature import Signature
from adamas.torch.base import Optimizer

SIGNATURES: dict[str, Signature]

def constructor(signature: Signature, routed: bool = False) -> inspect.Signature: ...
def make(signature: Signature, module: str, *, strict: bool = True) -> type[Optimizer]: ...
def optimizer(rule: Callable[..., Any]) -> type[Optimizer]: ...

class SGD(Optimizer):
    """Stochastic gradient descent steps against the gradient."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        momentum: Any = 0.0,
        dampening: Any = 0.0,
        weight_decay: Any = 0.0,
        nesterov: Any = False,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class Momentum(Optimizer):
    """Heavy-ball momentum steps along a decaying sum of all gradients."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        momentum: Any = 0.9,
        dampening: Any = 0.0,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class Nesterov(Optimizer):
    """Nesterov momentum steps on to the point that the momentum alone would reach next."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        momentum: Any = 0.9,
        dampening: Any = 0.0,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class Adagrad(Optimizer):
    """Adagrad divides each coordinate by the root of the sum of its squared gradients."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        lr_decay: Any = 0.0,
        weight_decay: Any = 0.0,
        initial_accumulator_value: Any = 0.0,
        eps: Any = 1e-10,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class RMSprop(Optimizer):
    """RMSProp divides by the root of a moving average of the squared gradients."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        alpha: Any = 0.99,
        eps: Any = 1e-08,
        weight_decay: Any = 0.0,
        momentum: Any = 0.0,
        centered: Any = False,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class CenteredRMSprop(Optimizer):
    """Centered RMSProp divides by the gradient's standard deviation."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        alpha: Any = 0.99,
        eps: Any = 1e-08,
        weight_decay: Any = 0.0,
        momentum: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class Adadelta(Optimizer):
    """Adadelta scales the step by the root mean square of its own past steps."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: Any = 0.9,
        eps: Any = 1e-06,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class Adam(Optimizer):
    """Adam divides the mean gradient by its root mean square, both corrected for their zero start."""  # noqa: E501

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0.0,
        amsgrad: Any = False,
        decoupled_weight_decay: Any = False,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class AdamW(Optimizer):
    """AdamW decays the parameter directly instead of through the gradient."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0.01,
        amsgrad: Any = False,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class AMSGrad(Optimizer):
    """AMSGrad divides by the largest second moment seen so far."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0.0,
        decoupled_weight_decay: Any = False,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class Adamax(Optimizer):
    """Adamax divides by a decaying maximum of the gradient's absolute value."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.002,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class NAdam(Optimizer):
    """NAdam is Adam whose step looks ahead with the next step's momentum."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.002,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0.0,
        momentum_decay: Any = 0.004,
        decoupled_weight_decay: Any = False,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class RAdam(Optimizer):
    """RAdam divides by the root only once enough steps make its variance finite."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0.0,
        decoupled_weight_decay: Any = False,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class AdaBelief(Optimizer):
    """AdaBelief divides by how far the gradient strays from its own mean."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-16,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class AdamAtan2(Optimizer):
    """Adam-atan2 takes an angle instead of a quotient, which needs no eps and has a limit."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        a: Any = 1.27,
        b: Any = 1.0,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class AdamC(Optimizer):
    """AdamC is AdamW whose decay falls with the square of lr, so that norms keep their level."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        max_lr: Any = 0.0,
        weight_decay: Any = 0.01,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class CautiousDecayAdamW(Optimizer):
    """AdamW with cautious weight decay shrinks a coordinate only where its step does so, too."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0.01,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class LaProp(Optimizer):
    """LaProp divides each gradient by the root first and averages what comes of it."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.0004,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-15,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class Adopt(Optimizer):
    """ADOPT divides by the second moment of the steps before, and averages afterwards."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.9999),
        eps: Any = 1e-06,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class Grams(Optimizer):
    """Grams steps as far as Adam, but in the direction of the gradient of the step."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-06,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class Signum(Optimizer):
    """Signum steps by the sign of the mean gradient, so every coordinate moves by lr."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.0001,
        momentum: Any = 0.9,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class Lion(Optimizer):
    """Lion steps by the sign of a mean gradient, so every coordinate moves by lr."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.0001,
        betas: Any = (0.9, 0.99),
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class AdEMAMix(Optimizer):
    """AdEMAMix adds to AdamW's mean gradient a second, much slower one."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999, 0.9999),
        alpha: Any = 5.0,
        alpha_warmup: Any = 0,
        beta3_warmup: Any = 0,
        eps: Any = 1e-08,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class Adan(Optimizer):
    """Adan adds the mean gradient difference, an estimate of Nesterov's look-ahead."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.98, 0.92, 0.99),
        eps: Any = 1e-08,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class ScheduleFreeSGD(Optimizer):
    """Schedule-Free SGD replaces the lr schedule by a running average of the iterates."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        momentum: Any = 0.9,
        r: Any = 0.0,
        weight_lr_power: Any = 2.0,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class ScheduleFreeAdamW(Optimizer):
    """Schedule-Free AdamW replaces the lr schedule by a running average of the iterates."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.0025,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        r: Any = 0.0,
        weight_lr_power: Any = 2.0,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class ScheduleFreeRAdam(Optimizer):
    """Schedule-Free RAdam is `schedule_free_adamw` warmed up by the rectification of RAdam."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.0025,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        r: Any = 0.0,
        weight_lr_power: Any = 2.0,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...

class CautiousAdamW(Optimizer):
    """Cautious AdamW skips every coordinate whose step would not go against its gradient."""

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0.01,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        state: Any = "float32",
        state_by_name: Any = None,
        master: Any = None,
        seed: Any = 0,
        clip_norm: Any = None,
        on_nonfinite: Any = "guard",
        track_norm: Any = False,
        ema: Any = None,
        zero_grad_in_step: Any = False,
        rows: Any = None,
        threads: Any = None,
        routes: Any = None,
        matmul: Any = "float32",
    ) -> None: ...
