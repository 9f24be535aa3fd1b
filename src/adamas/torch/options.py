"""What every optimizer here takes besides its hyper-parameters, checked when it is given.

In the constructor and in `add_param_group`, before a forward and a backward pass are spent on it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from adamas.engine.cpus import taken
from adamas.engine.limits import Limits, usual
from adamas.engine.options import CHOICES
from adamas.engine.options import OPTIONS as ENGINE
from adamas.engine.routing import pattern
from adamas.engine.settings import check as broken
from adamas.engine.settings import choice, limit, real, seeded
from adamas.engine.storage import Storage, choosing
from adamas.engine.tensors import Array, Tensor
from adamas.homes.torch import HOW
from adamas.kernel.formula import Formula
from adamas.kernel.scopes import MATRIX
from adamas.kernel.variants import of_vectors
from adamas.torch.products import MATMUL, check_split
from adamas.torch.shards import sharded
from adamas.torch.tensor_states import STORAGE
from adamas.torch.views import array

# Torch itself has a method `zero_grad` and an argument `maximize`.
RENAMED = {"zero_grads": "zero_grad_in_step"}
OPTIONS: dict[str, Any] = {"state": ENGINE["state"], "state_by_name": None}
OPTIONS |= {RENAMED.get(name, name): value for name, value in ENGINE.items() if name not in HOW}
# None for what the rows do in torch's class of the name.
OPTIONS["rows"] = None
OPTIONS["matmul"] = "float32"
OPTIONS["split"] = None

FORMS = {
    torch.float64: "float64",
    torch.complex128: "float64",
    torch.float32: "float32",
    torch.complex64: "float32",
    torch.bfloat16: "bfloat16",
}


def check(options: Mapping[str, Any], formula: Formula) -> None:
    """Raise TypeError or ValueError naming the first option that cannot be had, and its limit."""
    check_state(options["state"], formula, options["master"])
    if options["state_dir"] is not None:
        raise ValueError(
            "state_dir= is for arrays: adamas.AdamW(params, state_dir=...) of NumPy views, such as "
            "tensor.numpy(), or of adamas.open_params(path); tensors keep their state in memory."
        )
    choice("on_nonfinite", options["on_nonfinite"], CHOICES["on_nonfinite"])
    choice("track_norm", options["track_norm"], CHOICES["track_norm"])
    choice("observe", options["observe"], CHOICES["observe"])
    choice("rows", options["rows"], ("lazy", "exact", None))
    choice("matmul", options["matmul"], MATMUL)
    for name in ("matmul", "split"):
        if options[name] != OPTIONS[name] and MATRIX not in formula.over:
            raise ValueError(
                f"{name}={options[name]!r}: {formula.name} multiplies no matrices; leave it out."
            )
    check_split(options["split"])
    choice("zero_grad_in_step", options["zero_grad_in_step"], (True, False))
    limit(options["clip_norm"])
    taken(options["threads"])
    seeded(options["seed"])
    if (ema := options["ema"]) is not None:
        number = real("ema", ema, "the decay of an average is a number, or None for no average")
        if rule := broken("ema", number, 0.5):
            raise ValueError(f"ema={ema!r} is not allowed; it must {rule}.")
    by_name = options["state_by_name"]
    if not isinstance(by_name, Mapping | None):
        raise TypeError(
            f"state_by_name={by_name!r} must be a dict of regular expressions and formats."
        )
    for text, state in (by_name or {}).items():
        pattern(text, "state_by_name")
        check_state(state, formula, None)


def check_state(state: Any, formula: Formula, master: Any) -> None:
    """Raise TypeError or ValueError naming a `state` that `formula` cannot keep, or `master`."""
    Storage(formula, state, master)


def check_names(
    by_name: Mapping[str, Any] | None, names: Sequence[str], option: str = "state_by_name"
) -> None:
    """Raise ValueError for an expression that is found in none of the parameters' names."""
    for text in by_name or ():
        if not any(re.search(text, name) for name in names):
            raise ValueError(
                f"{option}: {text!r} is found in no parameter's name; pass "
                f"model.named_parameters(). The names are {', '.join(names[:8])}."
            )


def chosen(options: Mapping[str, Any], group: Mapping[str, Any], name: str, given: Array) -> Any:
    """How the state of one parameter is to be kept: a format, or a dict of them by state.

    The first expression of `state_by_name` that is found in `name` decides, else the group's own
    `state`, else the optimizer's.
    """
    for text, state in (options["state_by_name"] or {}).items():
        if re.search(text, name):
            return state
    state = group.get("state", options["state"])
    choose = choosing(state)
    return choose(name, given) if choose else state


def refuse_dtype(p: torch.Tensor, name: str) -> None:
    """Raise TypeError for a parameter of a dtype that is not stepped here."""
    if p.dtype not in FORMS:
        listed = ", ".join(str(dtype).removeprefix("torch.") for dtype in FORMS)
        half = " Small steps are lost in float16." if p.dtype is torch.float16 else ""
        raise TypeError(
            f"parameter {name!r} is {p.dtype}; adamas updates {listed}.{half} Use .float() with "
            "torch.autocast, or .bfloat16()."
        )


def computed(p: torch.Tensor, formats: Mapping[str, str]) -> str:
    """The dtype that a parameter is stepped in with its state in these formats."""
    return "float64" if "float64" in (FORMS[p.dtype], *formats.values()) else "float32"


def refuse_numbers(formula: Formula, hypers: Mapping[str, float], computes: set[str]) -> None:
    """Raise ValueError for settings that come to more than a dtype of the steps can hold.

    Most settings are so far from that that nothing is computed.
    """
    if not usual(list(hypers.values())):
        Limits(formula, [computes]).check(0, hypers, 1)


Formats = Callable[[Mapping[str, Any], torch.Tensor, str], dict[str, str]]


def formats(options: Mapping[str, Any], formula: Formula) -> Formats:
    """A function of a group, a parameter and its name: the storage of each state of the rule.

    It raises ValueError or TypeError for what cannot be kept where the parameter is.
    """
    asked: list[Any] = [None]
    forms = (of_vectors(formula), formula)
    stores = [Storage(one, lambda key, given: asked[0], options["master"]) for one in forms]

    def of(group: Mapping[str, Any], p: torch.Tensor, name: str) -> dict[str, str]:
        given = _seen(p)
        asked[0] = chosen(options, group, name, given)
        matrix = given.ndim > 1
        found = stores[matrix].formats(Tensor(name, given, given, None, False, 0, FORMS[p.dtype]))
        fewer = (*forms[matrix].rows, *forms[matrix].columns)
        found |= dict.fromkeys(fewer, computed(p, found))
        if p.device.type != "cpu":
            state = group.get("state", options["state"])
            for form in (state if isinstance(state, str) else "float32", *found.values()):
                if form not in STORAGE:
                    raise ValueError(
                        f"parameter {name!r} is on {p.device}, where state={form!r} cannot be "
                        f"kept; choose one of {', '.join(STORAGE)}."
                    )
        return found

    return of


def _seen(p: torch.Tensor) -> Array:
    """What a function given as `state` is asked about: the numbers, or their shape alone."""
    on_cpu = p.device.type == "cpu" and p.layout is torch.strided and not sharded(p)
    if on_cpu and type(p.data) is torch.Tensor and not (p.is_conj() or p.is_neg()):
        return array(p)
    return np.broadcast_to(np.zeros((), np.float32), tuple(p.shape))
