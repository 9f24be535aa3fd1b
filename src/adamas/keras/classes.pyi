"""Written by tools/write_stubs.py from adamas.homes.keras; edits here are lost."""

from typing import Any

from adamas.homes.signature import Signature
from adamas.keras.optimizer import Optimizer

def make(signature: Signature, module: str) -> type[Optimizer]: ...
def optimizer(rule: Any) -> type[Optimizer]: ...

class SGD(Optimizer):
    """Stochastic gradient descent steps against the gradient."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        momentum: Any = 0.0,
        nesterov: Any = False,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Momentum(Optimizer):
    """Heavy-ball momentum steps along a decaying sum of all gradients."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        momentum: Any = 0.9,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Nesterov(Optimizer):
    """Nesterov momentum steps on to the point that the momentum alone would reach next."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        momentum: Any = 0.9,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Adagrad(Optimizer):
    """Adagrad divides each coordinate by the root of the sum of its squared gradients."""

    def __init__(
        self,
        learning_rate: Any = 0.01,
        initial_accumulator_value: Any = 0.0,
        epsilon: Any = 1e-10,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class RMSprop(Optimizer):
    """RMSProp divides by the root of a moving average of the squared gradients."""

    def __init__(
        self,
        learning_rate: Any = 0.01,
        rho: Any = 0.99,
        momentum: Any = 0.0,
        epsilon: Any = 1e-08,
        centered: Any = False,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class CenteredRMSprop(Optimizer):
    """Centered RMSProp divides by the gradient's standard deviation."""

    def __init__(
        self,
        learning_rate: Any = 0.01,
        rho: Any = 0.99,
        momentum: Any = 0.0,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Adadelta(Optimizer):
    """Adadelta scales the step by the root mean square of its own past steps."""

    def __init__(
        self,
        learning_rate: Any = 1.0,
        rho: Any = 0.9,
        epsilon: Any = 1e-06,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Adam(Optimizer):
    """Adam divides the mean gradient by its root mean square, both corrected for their zero start."""  # noqa: E501

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        amsgrad: Any = False,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class AdamW(Optimizer):
    """AdamW decays the parameter directly instead of through the gradient."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: Any = 0.01,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        amsgrad: Any = False,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class AMSGrad(Optimizer):
    """AMSGrad divides by the largest second moment seen so far."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Adamax(Optimizer):
    """Adamax divides by a decaying maximum of the gradient's absolute value."""

    def __init__(
        self,
        learning_rate: Any = 0.002,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class NAdam(Optimizer):
    """NAdam is Adam whose step looks ahead with the next step's momentum."""

    def __init__(
        self,
        learning_rate: Any = 0.002,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.0,
        momentum_decay: Any = 0.004,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class RAdam(Optimizer):
    """RAdam divides by the root only once enough steps make its variance finite."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class AdaBelief(Optimizer):
    """AdaBelief divides by how far the gradient strays from its own mean."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-16,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class AdamAtan2(Optimizer):
    """Adam-atan2 takes an angle instead of a quotient, which needs no eps and has a limit."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        a: Any = 1.27,
        b: Any = 1.0,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class AdamC(Optimizer):
    """AdamC is AdamW whose decay falls with the square of lr, so that norms keep their level."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        max_lr: Any = 0.0,
        weight_decay: Any = 0.01,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class CautiousDecayAdamW(Optimizer):
    """AdamW with cautious weight decay shrinks a coordinate only where its step does so, too."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.01,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class LaProp(Optimizer):
    """LaProp divides each gradient by the root first and averages what comes of it."""

    def __init__(
        self,
        learning_rate: Any = 0.0004,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-15,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Adopt(Optimizer):
    """ADOPT divides by the second moment of the steps before, and averages afterwards."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.9999,
        epsilon: Any = 1e-06,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Grams(Optimizer):
    """Grams steps as far as Adam, but in the direction of the gradient of the step."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-06,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Signum(Optimizer):
    """Signum steps by the sign of the mean gradient, so every coordinate moves by lr."""

    def __init__(
        self,
        learning_rate: Any = 0.0001,
        beta: Any = 0.9,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Lion(Optimizer):
    """Lion steps by the sign of a mean gradient, so every coordinate moves by lr."""

    def __init__(
        self,
        learning_rate: Any = 0.0001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.99,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class AdEMAMix(Optimizer):
    """AdEMAMix adds to AdamW's mean gradient a second, much slower one."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        beta_3: Any = 0.9999,
        alpha: Any = 5.0,
        alpha_warmup: Any = 0,
        beta3_warmup: Any = 0,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Adan(Optimizer):
    """Adan adds the mean gradient difference, an estimate of Nesterov's look-ahead."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.98,
        beta_2: Any = 0.92,
        beta_3: Any = 0.99,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Mars(Optimizer):
    """MARS gives AdamW gradients that their own change corrects, each tensor's cut to norm 1."""

    def __init__(
        self,
        learning_rate: Any = 0.003,
        beta_1: Any = 0.95,
        beta_2: Any = 0.99,
        gamma: Any = 0.025,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class ScheduleFreeSGD(Optimizer):
    """Schedule-Free SGD replaces the lr schedule by a running average of the iterates."""

    def __init__(
        self,
        learning_rate: Any = 1.0,
        beta_1: Any = 0.9,
        r: Any = 0.0,
        weight_lr_power: Any = 2.0,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class ScheduleFreeAdamW(Optimizer):
    """Schedule-Free AdamW replaces the lr schedule by a running average of the iterates."""

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        r: Any = 0.0,
        weight_lr_power: Any = 2.0,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class ScheduleFreeRAdam(Optimizer):
    """Schedule-Free RAdam is `schedule_free_adamw` warmed up by the rectification of RAdam."""

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        r: Any = 0.0,
        weight_lr_power: Any = 2.0,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class MaskedAdamW(Optimizer):
    """Masked AdamW skips every coordinate whose step would not go against its gradient."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.01,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class CautiousAdamW(Optimizer):
    """Cautious AdamW moves the coordinates that go against their gradient, for the others too."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.01,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Lars(Optimizer):
    """LARS gives every tensor a step in proportion to the norm of its parameters."""

    def __init__(
        self,
        learning_rate: Any = 1.0,
        beta: Any = 0.9,
        trust_coefficient: Any = 0.001,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Lamb(Optimizer):
    """LAMB gives Adam's step the norm of the parameters that it changes, tensor by tensor."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-06,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class AdamH(Optimizer):
    """AdamH keeps the norm of every tensor as it began, and turns it by lr times Adam's step."""

    def __init__(
        self,
        learning_rate: Any = 0.01,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class StableAdamW(Optimizer):
    """StableAdamW takes a shorter step with every tensor whose gradients outgrew their mean square."""  # noqa: E501

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.99,
        epsilon: Any = 1e-08,
        weight_decay: Any = 0.01,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Adafactor(Optimizer):
    """Adafactor keeps one number a row and one a column in place of a whole second moment."""

    def __init__(
        self,
        learning_rate: Any = 0.01,
        beta2_decay: Any = -0.8,
        eps1: Any = 1.1920929e-07,
        eps2: Any = 0.001,
        d: Any = 1.0,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Came(Optimizer):
    """CAME is Adafactor with momentum that trusts less what strays from its own mean."""

    def __init__(
        self,
        learning_rate: Any = 0.0002,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        beta_3: Any = 0.9999,
        eps1: Any = 1e-30,
        eps2: Any = 1e-16,
        d: Any = 1.0,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...

class Prodigy(Optimizer):
    """Prodigy is Adam that finds its own lr from how far all parameters have come."""

    def __init__(
        self,
        learning_rate: Any = 1.0,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-08,
        d0: Any = 1e-06,
        d_coef: Any = 1.0,
        weight_decay: Any = 0.0,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: Any = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None,
        name: Any = None,
        *,
        exclude_from_weight_decay: Any = None,
        state: Any = "float32",
        seed: Any = 0,
        strict: Any = True,
    ) -> None: ...
