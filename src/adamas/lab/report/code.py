"""Code to be copied: the chosen settings, in the words of each framework that has the same rule.

Every hyper-parameter is spelled out, because defaults differ between frameworks and change between
releases. A rule is left out where a framework's version computes something else.
"""

from collections.abc import Callable
from typing import Any

from adamas import rules
from adamas.classes import CLASSES, hypers
from adamas.lab.course import COURSE, Course, Further, value_of
from adamas.lab.entrant_base import parts_of
from adamas.lab.foreign.arguments import literal
from adamas.rules import matrices
from adamas.schedule import shapes

FRAMEWORKS = {
    "adamas": "adamas (NumPy)",
    "adamas_torch": "adamas (PyTorch)",
    "torch": "torch.optim",
    "optax": "optax",
    "keras": "Keras",
}
# The framework's arguments, in order, each with what fills it: `{lr}` and hyper-parameters by name.
Call = tuple[str, dict[str, str]]
BETAS = {"betas": "({beta1}, {beta2})", "eps": "{eps}"}
B1_B2 = {"b1": "{beta1}", "b2": "{beta2}", "eps": "{eps}"}
BETA_1_2 = {"beta_1": "{beta1}", "beta_2": "{beta2}", "epsilon": "{eps}"}
DECAY = {"weight_decay": "{weight_decay}"}

TORCH: dict[str, Call] = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": "{beta}"}),
    "nesterov": ("SGD", {"momentum": "{beta}", "nesterov": "True"}),
    "adagrad": ("Adagrad", {"eps": "{eps}"}),
    "rmsprop": ("RMSprop", {"alpha": "{beta2}", "eps": "{eps}"}),
    "rmsprop_centered": ("RMSprop", {"alpha": "{beta2}", "eps": "{eps}", "centered": "True"}),
    "adadelta": ("Adadelta", {"rho": "{rho}", "eps": "{eps}"}),
    "adam": ("Adam", BETAS),
    "adamw": ("AdamW", {**BETAS, **DECAY}),
    "amsgrad": ("Adam", {**BETAS, "amsgrad": "True"}),
    "adamax": ("Adamax", BETAS),
    "nadam": ("NAdam", {**BETAS, "momentum_decay": "{momentum_decay}"}),
    "radam": ("RAdam", BETAS),
    "adafactor": (
        "Adafactor",
        {"beta2_decay": "{beta2_decay}", "eps": "({eps1}, {eps2})", "d": "{d}", **DECAY},
    ),
}
OPTAX: dict[str, Call] = {
    "sgd": ("sgd", {}),
    "momentum": ("sgd", {"momentum": "{beta}"}),
    "nesterov": ("sgd", {"momentum": "{beta}", "nesterov": "True"}),
    "rmsprop": ("rmsprop", {"decay": "{beta2}", "eps": "{eps}", "eps_in_sqrt": "False"}),
    "adam": ("adam", B1_B2),
    "adamw": ("adamw", {**B1_B2, **DECAY}),
    "adamax": ("adamax", B1_B2),
    "radam": ("radam", B1_B2),
    "adabelief": ("adabelief", {**B1_B2, "eps_root": "{eps}"}),
    "signum": ("signum", {"beta": "{beta}"}),
    "lion": ("lion", {"b1": "{beta1}", "b2": "{beta2}", **DECAY}),
    "lamb": ("lamb", {**B1_B2, **DECAY}),
}
KERAS: dict[str, Call] = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": "{beta}"}),
    "nesterov": ("SGD", {"momentum": "{beta}", "nesterov": "True"}),
    # Keras adds epsilon inside the root, so eps**2 is the same floor.
    "rmsprop": ("RMSprop", {"rho": "{beta2}", "epsilon": "{eps} ** 2"}),
    "adam": ("Adam", BETA_1_2),
    "adamw": ("AdamW", {**BETA_1_2, **DECAY}),
    "adamax": ("Adamax", BETA_1_2),
    "lion": ("Lion", {"beta_1": "{beta1}", "beta_2": "{beta2}", **DECAY}),
}
# Rules whose torch class is trained in train(), and evaluated at an average in eval().
AVERAGING = {rule.__name__ for rule in rules.AVERAGES}
NAMES = {rule.__name__: name for name, rule in CLASSES.items()}


def snippets(
    optimizer: str, lr: float, kind: str = "rule", further: Further = (), steps: int = 0
) -> dict[str, str]:
    """Return code by framework for an optimizer as the plan names it, at one learning rate.

    `kind` is that of `Entrant.kind`, `further` are hyper-parameters that were chosen besides, and
    `steps` is the length of a run, from which a schedule of the rate is written out; where it is
    not, how the rate moved stands in a comment. `params` and `grads` are NumPy arrays (a dict of
    names, say) for adamas, any tree for optax; `model` is a torch or Keras module.
    """
    source, pairs = parts_of(optimizer)
    rule: Callable[..., Any] | None = getattr(rules, source, None)
    own = hypers(rule) if rule is not None and source in NAMES else {}
    moves = {key: value for key, value in pairs if key in COURSE and key not in own}
    moves |= {key: f"{value}" for key, value in further if key in COURSE}
    chosen = [f"{key}={value}" for key, value in further if key not in COURSE]
    kept = ",".join([*(f"{key}={value}" for key, value in pairs if key not in moves), *chosen])
    text = f"{source}:{kept}" if kept else source
    written = MOVING if steps and kind == "rule" else ()
    course = Course().changed(tuple((key, value_of(key, moves[key])) for key in moves))
    factor = course.factor(steps) if written else None
    found = of_kind(text, lr, kind, factor)
    told = [f"{key}={value}" for key, value in moves.items() if key not in written]
    note = f"# lr moved along the run: {', '.join(told)}\n" if told else ""
    return {framework: note + code for framework, code in found.items()}


def of_kind(
    optimizer: str, lr: float, kind: str, factor: Callable[[int], float] | None
) -> dict[str, str]:
    """Return code by framework, for a rule or somebody else's optimizer."""
    if kind != "rule":
        return {kind: foreign(optimizer, lr, kind)}
    name, changed, path = parsed(optimizer)
    head, rate = moving(f"{lr:.6g}", factor)
    if path is not None:
        return own_rule(name, path, changed, rate, head)
    rule: Callable[..., Any] | None = getattr(rules, name, None)
    if rule is None or name not in NAMES:
        return {}
    settings = {**hypers(rule), **{key: float(value) for key, value in changed.items()}}
    more = "".join(f", {key}={value}" for key, value in changed.items())
    train = "  # and optimizer.eval() before evaluating or saving the model"
    last = f"\noptimizer.train(){train}" * (name in AVERAGING)
    # Names or layers say what is stepped by a rule for matrices, and what by AdamW.
    square = name in matrices.__all__
    routes = f", routes={{'': '{name}'}}" if square else ""
    first = f"# what is no hidden matrix first: {{'embed|head|bias': 'adamw', '': '{name}'}}\n"
    note = first if square else ""
    given = "model" if square else "model.parameters()"
    found = {
        "adamas": f"import adamas\n{head}\n{note}optimizer = adamas.{NAMES[name]}(params, "
        f"lr={rate}{more}{routes})\noptimizer.step(grads)  # params are updated in place",
        # adamas.torch takes hyper-parameters by the rule's own names, too.
        "adamas_torch": f"import adamas.torch\n{head}\n"
        f"optimizer = adamas.torch.{NAMES[name]}({given}, lr={rate}{more}){last}",
    }
    plain = {**settings, "lr": f"{lr:.6g}"}
    if name in TORCH:
        found["torch"] = in_torch(name, plain, head, factor)
    # optax and Keras have schedules of their own.
    if factor is not None:
        return found
    if writes(OPTAX, name, settings):
        call = called("optax.", OPTAX[name], plain, "learning_rate")
        found["optax"] = f"import optax\n\noptimizer = {call}\nstate = optimizer.init(params)"
    if writes(KERAS, name, settings):
        call = called("keras.optimizers.", KERAS[name], plain, "learning_rate")
        found["keras"] = f"import keras\n\noptimizer = {call}"
    return found


def writes(calls: dict[str, Call], name: str, settings: dict[str, Any]) -> bool:
    """Return whether a framework has the rule, and its decay where there is one."""
    return name in calls and (not settings.get("weight_decay") or "weight_decay" in calls[name][1])


# What code can write out of a course.
MOVING = ("schedule", "warmup")
# What an optimizer that is no rule is made of, and what its rate is called.
STEPPED = {"torch": ("model.parameters()", "lr"), "optax": ("", "learning_rate"),
           "numpy": ("params", "lr")}  # fmt: skip


def foreign(optimizer: str, lr: float, kind: str) -> str:
    """Return the call of somebody else's class or function, as it was made."""
    source, pairs = parts_of(optimizer)
    place, colon, name = source.rpartition(":")
    if not colon:
        place, _, name = source.rpartition(".")
    module = place.replace("\\", "/").rpartition("/")[2].removesuffix(".py")
    head = f"from {module} import {name}\n\n" if module else ""
    stepped, rate = STEPPED[kind]
    told: dict[str, Any] = {}
    for key, value in pairs:
        base, member, _ = key.partition("[")
        found = literal(key, value)
        # A search changes all members of a tuple, in their order.
        told[base] = (*told.get(base, ()), found) if member else found
    given = [f"{key}={value!r}" for key, value in told.items()]
    arguments = ", ".join(filter(None, [stepped, f"{rate}={lr:.6g}", *given]))
    return f"{head}optimizer = {name}({arguments})"


def moving(rate: str, factor: Callable[[int], float] | None) -> tuple[str, str]:
    """Return what must be imported for a learning rate that moves by `factor`, and the rate."""
    if factor is None:
        return "", rate
    names = [name for name in shapes.__all__ if f"{name}(" in repr(factor)]
    return f"from adamas.schedule import {', '.join(names)}\n", f"{factor!r} * {rate}"


def in_torch(
    name: str, settings: dict[str, Any], head: str, factor: Callable[[int], float] | None
) -> str:
    """Return the code for torch's own class, with a scheduler of torch where the rate moves."""
    made, arguments = TORCH[name]
    decay = DECAY if settings.get("weight_decay") else {}
    call = (made, {**arguments, **decay})
    text = called("torch.optim.", call, settings, "lr", "model.parameters()")
    if factor is not None:
        text += (
            f"\nfactor = {factor!r}\nscheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, "
            "lambda k: factor(k + 1))  # scheduler.step() after each optimizer.step()"
        )
    return f"import torch\n{head}\noptimizer = {text}"


def called(
    prefix: str, call: Call, settings: dict[str, Any], rate_name: str, first: str | None = None
) -> str:
    """Return the call of a framework's optimizer with every argument by name."""
    name, arguments = call
    filled = {rate_name: "{lr}", **arguments}
    pairs = [f"{key}={value.format(**settings)}" for key, value in filled.items()]
    return f"{prefix}{name}({', '.join(([first] if first else []) + pairs)})"


def own_rule(
    name: str, path: str, changed: dict[str, str], rate: str, schedule: str
) -> dict[str, str]:
    """Return code for a rule in the user's own file."""
    module = path.removesuffix(".py")
    more = "".join(f", {key}={value}" for key, value in changed.items())
    head = f"from {module} import {name}\n{schedule}"
    return {
        "adamas": f"import adamas\n{head}\n"
        f"optimizer = adamas.Optimizer({name}, params, lr={rate}{more})\n"
        "optimizer.step(grads)  # params are updated in place"
    }


def parsed(optimizer: str) -> tuple[str, dict[str, str], str | None]:
    """Return rule, changed hyper-parameters and file of `rule:key=value` or `file.py:rule`.

    >>> parsed("adam:beta1=0.8"), parsed("lab/mine.py:f")
    (('adam', {'beta1': '0.8'}, None), ('f', {}, 'mine.py'))
    """
    parts = optimizer.split(":")
    path = parts.pop(0).replace("\\", "/").rpartition("/")[2] if parts[0].endswith(".py") else None
    name, *rest = parts or [""]
    pairs = [pair.partition("=") for part in rest for pair in part.split(",")]
    return name, {key.strip(): value.strip() for key, _, value in pairs if value}, path
