"""Rules as one home has them: where torch, optax or Keras computes something else by the same name.

Written in the language of `adamas.rules` and compiled like them, one small function for each
difference that numbers show; what it differs from is in its first sentence, and who has it after.
`eps_hat` is an eps that is added before the bias correction (Kingma & Ba 2015, end of section 2),
`eps_inside` one under the root, `lr_inside` says that the momentum sums steps, not gradients, so
that a new lr does not rescale what it holds.
"""

from adamas.dialects.elements import (
    adagrad_decayed,
    adagrad_eps_inside,
    adam_eps_hat,
    adamax_eps_outside,
    amsgrad_corrected_max,
    amsgrad_eps_hat,
    momentum_damped,
    momentum_lr_inside,
    nadam_constant,
    nesterov_lr_inside,
    radam_eps_outside,
    rmsprop_centered_eps_inside,
    rmsprop_centered_momentum,
    rmsprop_centered_momentum_eps_lr_inside,
    rmsprop_centered_momentum_lr_inside,
    rmsprop_eps_inside,
    rmsprop_momentum,
    rmsprop_momentum_eps_lr_inside,
    rmsprop_momentum_lr_inside,
)
from adamas.dialects.muons import muon_corrected, muon_match_rms_adamw, muon_moonlight
from adamas.dialects.sums import (
    adafactor_eps_inside,
    adafactor_eps_inside_constant_lr,
    lars_joint_norm,
    prodigy_corrected,
)

__all__ = [
    "momentum_damped",
    "momentum_lr_inside",
    "nesterov_lr_inside",
    "adagrad_decayed",
    "adagrad_eps_inside",
    "rmsprop_eps_inside",
    "rmsprop_centered_eps_inside",
    "rmsprop_momentum",
    "rmsprop_momentum_lr_inside",
    "rmsprop_momentum_eps_lr_inside",
    "rmsprop_centered_momentum",
    "rmsprop_centered_momentum_lr_inside",
    "rmsprop_centered_momentum_eps_lr_inside",
    "adam_eps_hat",
    "amsgrad_eps_hat",
    "amsgrad_corrected_max",
    "adamax_eps_outside",
    "nadam_constant",
    "radam_eps_outside",
    "lars_joint_norm",
    "adafactor_eps_inside",
    "adafactor_eps_inside_constant_lr",
    "prodigy_corrected",
    "muon_match_rms_adamw",
    "muon_moonlight",
    "muon_corrected",
]
