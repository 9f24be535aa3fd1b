"""The state that a file holds, and what wrote it, as `adamas.convert` takes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adamas.files.checkpoint import Checkpoint
from adamas.files.reading import Named
from adamas.homes.known import plain
from adamas.homes.writers import HOMES, End, end_of
from adamas.others import beside, keras_file, torch_file
from adamas.others.found import read_by
from adamas.others.keras_built import built_of
from adamas.others.opening import kind_of

Shapes = dict[Any, tuple[int, ...]]
# Keys of a group that say nothing of the class that made it.
ANYBODYS = {"params", "param_names", "initial_lr", "lr"}


@dataclass(frozen=True)
class Source:
    """A state, and its source: an optimizer, or the name of a class.

    `shapes` are those of parameters, by their names, as far as the file has them; `beside` is what
    it holds besides, in words, and `file` a file of adamas, opened.
    """

    path: str
    state: Any
    what: Any
    shapes: Shapes = field(default_factory=dict)
    beside: list[str] = field(default_factory=list)
    file: Checkpoint | None = None

    @property
    def end(self) -> End:
        """The source as `adamas.convert` reads it."""
        return end_of(self.what)


def opened(path: str, told: str | None, entry: str | None) -> Source:
    """The state in the file at `path`; `told` is what wrote it, `entry` where in the file it is.

    Raises OSError, and ValueError with the path where the file does not say one of these.
    """
    kind = kind_of(path)
    if kind == "adamas":
        return _own(path, told)
    with Named(path, brief=True):
        if kind == "torch":
            return _torch(path, told, entry)
        if kind == "keras":
            return _keras(path, told)
        raise ValueError("it holds tensors, and no state of an optimizer")


def _own(path: str, told: str | None) -> Source:
    file = Checkpoint(path, through=True)
    with Named(path, brief=True):
        title = f"{file.home}.{file.kind}" if file.kind else None
        if told not in (None, title) and title is not None:
            raise ValueError(f"it is of {title}, and not of {told}")
        if told is None and title is None:
            raise ValueError(
                "it does not say what made it; say it, such as --from 'optax.adam(1e-3)'"
            )
        what = "adamas" if file.home == "adamas" else title or told
        state, others = file.state(plain=True), beside.of_file(file)
        return Source(path, state, what, shapes_in(file), others, file)


def shapes_in(file: Checkpoint) -> Shapes:
    """The shapes of parameters in a file of adamas; where they have numbers, of `params` too."""
    numbered = all(isinstance(key, int) for key in file.parameters)
    named = {key: one.shape for key, one in file.params.items()} if numbered else {}
    return {**named, **file.parameters}


def _torch(path: str, told: str | None, entry: str | None) -> Source:
    whole = torch_file.loaded(path)
    states = dict(torch_file.optimizers(whole))
    if not states:
        raise ValueError(
            "it holds no state of an optimizer, which is a dict of 'state' and 'param_groups'"
        )
    if entry is None and len(states) > 1:
        raise ValueError(f"it holds several states; say --entry, one of {', '.join(states)}")
    if entry is not None and entry not in states:
        raise ValueError(f"it has no state at {entry!r}; it has {', '.join(map(repr, states))}")
    where = next(iter(states)) if entry is None else entry
    what, others = told or _class_of(states[where]), beside.of_tree(whole, where)
    return Source(path, states[where], what, shapes_of(whole), others)


def shapes_of(tree: Any, depth: int = 0) -> Shapes:
    """The shapes of tensors by the names that a model's state dict gives them."""
    found: Shapes = {}
    if depth <= 3 and isinstance(tree, Mapping) and "param_groups" not in tree:
        for key, value in tree.items():
            if hasattr(value, "layout"):
                found[key] = tuple(value.shape)
            else:
                found |= {k: v for k, v in shapes_of(value, depth + 1).items() if k not in found}
    return found


def _class_of(state: Mapping[str, Any]) -> str:
    """The class that wrote a state dict, as far as its groups tell; ValueError where they do not.

    adamas.torch names its rule; a class of torch.optim is told by the keys of its groups, if no
    other has the same and the states are its own.
    """
    group: Mapping[str, Any] = next(iter(state["param_groups"]), {})
    entry: Mapping[str, Any] = next(filter(None, state["state"].values()), {})
    if isinstance(group.get("rule"), str):
        found = [f"adamas.torch.{name}" for name in _ruled(group)][:1]
    else:
        found = [f"torch.{name}" for name in _keyed(group, entry)]
    if len(found) != 1:
        raise ValueError(
            "it does not say which class wrote it; say it, such as --from torch.AdamW"
            + (f" (it may be {' or '.join(found)})" if found else "")
        )
    return found[0]


def _ruled(group: Mapping[str, Any]) -> list[str]:
    home = next(one for one in HOMES if one.name == "adamas.torch")
    names = []
    for name, signature in home.classes.items():
        if signature.defaults.keys() <= group.keys():
            try:
                rule = End(home, name, {}).rule(group)
            except (ValueError, TypeError):
                continue
            names += [name] if plain(rule) == group["rule"] else []
    return names


def _keyed(group: Mapping[str, Any], entry: Mapping[str, Any]) -> list[str]:
    import torch

    home, names = next(one for one in HOMES if one.name == "torch"), []
    for name, signature in home.classes.items():
        kind = getattr(torch.optim, name, None)
        if kind is None:
            continue
        made = kind([torch.nn.Parameter(torch.zeros(1, 1))]).param_groups[0]
        keyed = made.keys() - ANYBODYS == group.keys() - ANYBODYS
        way = "decoupled_weight_decay"
        # What Adam and AdamW, which have the same keys, have as their own value.
        same = name not in ("Adam", "AdamW") or group.get(way) == made.get(way)
        states = {*signature.moments.values(), "step"}
        known = not entry or not states - {"step"} or bool(states & entry.keys() - {"step"})
        names += [name] if keyed and same and (known or name == "SGD") else []
    return names


def _keras(path: str, told: str | None) -> Source:
    found = keras_file.contents(path)
    if not found.variables:
        raise ValueError("it holds no variables of an optimizer")
    with read_by("keras"):
        live = built_of(found, told)
    values = {key: one.read() for key, one in found.variables.items() if one.read}
    others = {n.split("/")[0] for n in found.arrays} - {keras_file.VARIABLES.split("/")[0]}
    return Source(path, values, live, {}, sorted(others))
