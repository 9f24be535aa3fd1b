"""adamas for SciPy: `minimize(fun, x0, jac=grad, method=adamas.scipy.adam, options={"lr": 0.01})`.

Every rule is a `method` of `scipy.optimize.minimize`, for smooth functions of many numbers and for
noisy ones; `method` makes one of a rule of your own.
"""

from importlib.util import find_spec

if find_spec("scipy") is None:
    raise ImportError("adamas.scipy needs SciPy; install it with: pip install 'adamas[scipy]'")

from adamas import rules
from adamas.scipy.methods import method

sgd = method(rules.sgd)
momentum = method(rules.momentum)
nesterov = method(rules.nesterov)
adagrad = method(rules.adagrad)
rmsprop = method(rules.rmsprop)
rmsprop_centered = method(rules.rmsprop_centered)
adadelta = method(rules.adadelta)
adam = method(rules.adam)
adamw = method(rules.adamw)
amsgrad = method(rules.amsgrad)
adamax = method(rules.adamax)
nadam = method(rules.nadam)
radam = method(rules.radam)
adabelief = method(rules.adabelief)
adam_atan2 = method(rules.adam_atan2)
adamc = method(rules.adamc)
cautious_decay_adamw = method(rules.cautious_decay_adamw)
laprop = method(rules.laprop)
adopt = method(rules.adopt)
grams = method(rules.grams)
signum = method(rules.signum)
lion = method(rules.lion)
ademamix = method(rules.ademamix)
adan = method(rules.adan)
mars = method(rules.mars)
schedule_free_sgd = method(rules.schedule_free_sgd)
schedule_free_adamw = method(rules.schedule_free_adamw)
schedule_free_radam = method(rules.schedule_free_radam)
masked_adamw = method(rules.masked_adamw)
cautious_adamw = method(rules.cautious_adamw)
lars = method(rules.lars)
lamb = method(rules.lamb)
adamh = method(rules.adamh)
stable_adamw = method(rules.stable_adamw)
adafactor = method(rules.adafactor)
came = method(rules.came)
prodigy = method(rules.prodigy)
muon = method(rules.muon)
normuon = method(rules.normuon)
adamuon = method(rules.adamuon)

__all__ = [
    "adabelief", "adadelta", "adafactor", "adagrad", "adam", "adam_atan2", "adamax", "adamc",
    "adamh", "adamuon", "adamw", "adan", "ademamix", "adopt", "amsgrad", "came",
    "cautious_adamw", "cautious_decay_adamw", "grams", "lamb", "laprop", "lars", "lion", "mars",
    "masked_adamw", "method", "momentum", "muon", "nadam", "nesterov", "normuon", "prodigy",
    "radam", "rmsprop", "rmsprop_centered", "schedule_free_adamw", "schedule_free_radam",
    "schedule_free_sgd", "sgd", "signum", "stable_adamw",
]  # fmt: skip
