"""Constructor arguments and param groups: torch's spelling checked and turned into numbers.

`beta1=, beta2=` and `betas=` are the same thing, as are a rule's own names and torch's; a group
keeps torch's. What is refused is refused with the reason, and with the kind of error torch raises.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from adamas.engine.settings import check, real
from adamas.homes.signature import Signature
from adamas.homes.torch import HOW, SIGNATURES
from adamas.kernel.formula import Formula
from adamas.torch.scheduled import KEY, PUT
from adamas.torch.spelling import misspelt

# What a group has besides settings of the rule.
PRIVATE = ("params", "param_names", "rule", "state", KEY, PUT)
# Numbers that choose a formula by being zero or not.
CHOOSING = {"momentum", "dampening", "lr_decay"}
# What some class calls a hyper-parameter: one list of groups is often given to several classes.
ELSEWHERE = frozenset(name for one in SIGNATURES.values() for name in (*one.defaults, *one.sources))


def named(takes: Signature, args: Sequence[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of `takes` with what the caller gave; raises TypeError for unknown names."""
    order = [key for key in takes.defaults if key not in HOW and key not in takes.fixed]
    if len(args) > len(order):
        raise TypeError(
            f"{takes.name} takes params and {len(order)} more arguments by position, "
            f"not {len(args)}; name the others."
        )
    values = dict(zip(order, args, strict=False))
    if twice := values.keys() & given.keys():
        raise TypeError(f"{takes.name} got {min(twice)!r} by position and by name.")
    return {**takes.defaults, **folded(takes, {**values, **given}, takes.defaults, strict=True)}


def folded(
    takes: Signature, given: Mapping[str, Any], base: Mapping[str, Any], *, strict: bool
) -> dict[str, Any]:
    """`given` with the rule's names replaced by torch's: beta1 goes into betas.

    With `strict` a name that neither has raises TypeError; a param group may hold what it likes.
    """
    values = {key: value for key, value in given.items() if key in takes.defaults}
    for name, value in given.items():
        if name in values:
            continue
        key, place = takes.sources.get(name, (name, None))
        if key not in takes.defaults:
            if strict:
                raise TypeError(f"{takes.name} has no argument {name!r}.{_hint(takes, name)}")
            values[name] = value
        elif place is None:
            values[key] = value
        else:
            parts = list(values.get(key, base[key]))
            parts[place] = value
            values[key] = tuple(parts)
    return values


def check_keys(takes: Signature, group: Mapping[str, Any], options: Iterable[str]) -> None:
    """Raise TypeError for a key of a group that would be ignored although something was meant.

    That is one of `options`, which are of the whole optimizer (but for `state`), and what is nearly
    a name of this class. Names of other classes stay. Schedulers and trainers keep what they like
    in groups (`initial_lr`, `lr_scale`, names of layers); that stays.
    """
    known = [*takes.defaults, *takes.sources, *options]
    for name in group:
        if name in (*PRIVATE, *takes.defaults) or not isinstance(name, str):
            continue
        if name in options:
            raise TypeError(
                f"a param group has {name!r}, which is of the whole optimizer; give it to "
                f"{takes.name}(...), or make two optimizers."
            )
        if name not in ELSEWHERE and (meant := misspelt(name, known)):
            raise TypeError(f"a param group has {name!r}. Did you mean {meant!r}?")


def refuse_foreign(takes: Signature, group: Mapping[str, Any]) -> None:
    """Raise TypeError for a setting of another rule than the one that a group names itself."""
    known = takes.defaults.keys() | takes.sources.keys()
    if wrong := sorted((group.keys() & ELSEWHERE) - known):
        rule = group["rule"]
        raise TypeError(f"rule {rule!r} has no setting {wrong[0]!r}.{_hint(takes, wrong[0])}")


def _hint(takes: Signature, name: str) -> str:
    known = [*takes.defaults, *takes.sources]
    close = difflib.get_close_matches(name, known, 1)
    listed = ", ".join(key for key in takes.defaults if key not in HOW)
    return (f" Did you mean {close[0]!r}?" if close else "") + f" It has {listed}."


def refuse(takes: Signature, group: Mapping[str, Any]) -> None:
    """Raise what torch raises for options that contradict each other or cannot be had here."""
    refuse_choice(takes, group)
    for name in takes.fixed:
        if group[name] != takes.defaults[name]:
            raise ValueError(
                f"{takes.name} is {name}={takes.defaults[name]}; {name}={group[name]} is another "
                "class."
            )
    if group["fused"] and group["foreach"]:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if group["differentiable"]:
        raise (RuntimeError if group["fused"] else ValueError)(
            "differentiable=True needs a step that autograd can follow; adamas updates memory in "
            "place. Use the class of torch.optim, or run the rule's function on tensors."
        )
    if group["capturable"]:
        raise ValueError(
            "capturable=True keeps the step count on the device for CUDA graphs; adamas keeps it "
            "on the CPU. Leave it out."
        )
    _refuse_counts(takes, group)
    _refuse_tensors({key: group[key] for key in takes.defaults})


def refuse_choice(takes: Signature, group: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError for what cannot choose a formula: arrays, texts, no numbers."""
    for name in group.keys() & takes.defaults.keys():
        value, default = group[name], takes.defaults[name]
        if isinstance(default, bool) or name in HOW:
            allowed = (True, False) if isinstance(default, bool) else (True, False, None)
            if not _among(value, allowed):
                raise TypeError(f"{name}={value!r} must be {' or '.join(map(str, allowed))}.")
        elif name in CHOOSING:
            number(takes, name, value, default)


def choosing(takes: Signature, group: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options of a group that choose its rule, in which a schedule is never 0.

    For what a rule keeps begins with the first step, unless the signature says that it may be late.
    """
    texts = group.get(KEY) if not takes.late else None
    scheduled = {takes.sources.get(name, (name, None))[0] for name in texts or ()}
    return {**group, **dict.fromkeys(CHOOSING & scheduled, 1.0)} if scheduled else group


def _among(value: Any, allowed: tuple[Any, ...]) -> bool:
    try:
        return bool(value in allowed)
    except (ValueError, RuntimeError):
        # An array or a tensor of several.
        return False


def contradicting(defaults: Mapping[str, Any]) -> None:
    """Raise ValueError for what torch refuses in the constructor, but lets a scheduler do."""
    if defaults.get("nesterov") and not defaults["momentum"]:
        raise ValueError("Nesterov momentum requires a momentum and zero dampening")


def _refuse_counts(takes: Signature, group: Mapping[str, Any]) -> None:
    for key, default in takes.defaults.items():
        if isinstance(default, tuple):
            value = group[key]
            if not hasattr(value, "__len__") or len(value) != len(default):
                raise ValueError(f"{key}={value!r}: {takes.name} takes {len(default)} of them.")


def _refuse_tensors(group: Mapping[str, Any]) -> None:
    lr = group.get("lr")
    if isinstance(lr, torch.Tensor):
        if lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if group["foreach"]:
            raise ValueError(
                "lr as a Tensor is not supported for capturable=False and foreach=True"
            )
    betas = [isinstance(beta, torch.Tensor) for beta in group.get("betas", ())]
    if any(betas):
        if not all(betas):
            raise ValueError("betas must be either both floats or both Tensors")
        if group["foreach"]:
            raise ValueError(
                "betas[0] as a Tensor is not supported for capturable=False and foreach=True"
            )


def number(takes: Signature, name: str, value: Any, default: float) -> float:
    """A hyper-parameter as a float; raises ValueError or TypeError naming it and its limit.

    `value` is a number or a tensor of one, on any device.
    """
    if isinstance(value, torch.Tensor):
        if value.numel() != 1:
            raise ValueError(f"Tensor {name} must be 1-element, not {tuple(value.shape)}.")
        value = value.item()
    allowed = "a hyper-parameter is a number or a tensor of one"
    if callable(value):
        allowed += (
            ", or a schedule of adamas.schedule; wrap another function of the step in "
            "torch.optim.lr_scheduler.LambdaLR"
        )
    result = real(name, value, allowed)
    if limit := check(name, result, default):
        raise ValueError(f"Invalid {name} value: {value}; for {takes.name} it must {limit}.")
    return result


def numbers(takes: Signature, formula: Formula, group: Mapping[str, Any]) -> dict[str, float]:
    """Every hyper-parameter of `formula` as this group has it; raises what `number` raises."""
    found = {}
    for name, default in formula.hypers.items():
        key, _ = takes.sources.get(name, (name, None))
        if key not in group:
            continue
        found[name] = number(takes, name, takes.hyper(name, group), default)
    return found
