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
signum = method(rules.signum)
lion = method(rules.lion)
ademamix = method(rules.ademamix)
adan = method(rules.adan)
schedule_free_adamw = method(rules.schedule_free_adamw)
cautious_adamw = method(rules.cautious_adamw)

__all__ = [
    "adabelief", "adadelta", "adagrad", "adam", "adamax", "adamw", "adan", "ademamix", "amsgrad",
    "cautious_adamw", "lion", "method", "momentum", "nadam", "nesterov", "radam", "rmsprop",
    "rmsprop_centered", "schedule_free_adamw", "sgd", "signum",
]  # fmt: skip
