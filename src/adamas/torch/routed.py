"""Optimizers whose rule is for matrices: they take a module, and route by what its layers are.

Matrices of hidden layers go to the rule; embeddings, the last layer, norms and biases to AdamW.
"""

import inspect
import re
import statistics
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from adamas.engine.options import formula_of
from adamas.engine.routing import compiled, listed, settings_of
from adamas.engine.several import rule_of
from adamas.torch.base import Optimizer
from adamas.torch.called import every
from adamas.torch.layers import HIDDEN, Layer, is_vector, layers
from adamas.torch.named_rules import RULE
from adamas.torch.products import check_split, parts_of
from adamas.torch.routing import grouped

OTHER = "adamw"
# A rule for matrices steps less than this share of the elements: hardly what was meant.
LITTLE = 0.01
# Its first update is so many times smaller than AdamW's.
SLOW = 5.0
NAMES = re.compile(r"embed|\bemb\b|wte|wpe|lm_head|\bhead\b|classifier", re.IGNORECASE)


class Routed(Optimizer):
    """Takes a module, named parameters with `routes`, or groups that name their rules.

    `adamw` are the settings of AdamW, which steps what is no matrix of a hidden layer. `routes`
    decides first, by name; what it leaves of a module is decided by its layers. What looks wrong
    is refused or warned of: no matrix, hardly any, one that is fused, flat or partitioned, an
    embedding, a learning rate far below AdamW's.
    """

    # Whether a list of parameters is refused: a rule of one's own takes what it is given.
    _strict = True

    def __init__(
        self, params: Any, *args: Any, adamw: Mapping[str, Any] | None = None, **given: Any
    ) -> None:
        routes, rest = given.pop("routes", None), {RULE: OTHER, **_given(adamw)}
        if isinstance(routes, Mapping):
            routes = {text: _settings(text, value, rest) for text, value in routes.items()}
        if isinstance(params, nn.Module):
            self._reasons, groups = _by_layers(params, routes, rest, given.get("split"))
        else:
            groups = _by_names(params, routes, rest) if self._strict else params
            given |= {} if self._strict else {"routes": routes}
        super().__init__(groups, *args, **given)
        self._check()
        self._rates = sorted({float(group["lr"]) for group in self.param_groups})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, and warn of what looks wrong in it; raises what `Optimizer` raises."""
        super().add_param_group(param_group)
        if "_rates" in vars(self):
            last = len(self.param_groups) - 1
            self._check_looks([one for one in self._matrices() if one[0] == last])

    def _matrices(self) -> list[tuple[int, torch.Tensor, str]]:
        """The group, parameter and name of all that a rule for matrices steps, once trained."""
        each, groups = self._driver.plan.each, self.param_groups
        return [one for one in every(groups) if each[one[0]].formula.orthogonalizes]

    def _rule(self, own: Sequence[tuple[int, torch.Tensor, str]]) -> str:
        """What the rules of these are called."""
        each = self._driver.plan.each
        return " and ".join(dict.fromkeys(each[k].formula.name for k, _, _ in own))

    def _check(self) -> None:
        """Raise ValueError where nothing is on the rule; warn of what looks wrong."""
        if not (own := self._matrices()):
            raise ValueError(
                f"no parameter is on {type(self).__name__}: all are on other rules. Pass the "
                "module, whose hidden layers it steps, or routes= that give it some."
            )
        trained = [p for group in self.param_groups for p in group["params"] if p.requires_grad]
        whole = sum(p.numel() for p in trained)
        mine = sum(p.numel() for _, p, _ in own if p.requires_grad)
        if mine < LITTLE * whole:
            _warn(
                f"{self._rule(own)} steps {mine:,} of {whole:,} elements, and AdamW the rest, of "
                "those that are trained; see .routes."
            )
        self._check_looks(own)
        self._check_rates()

    def _check_looks(self, own: Sequence[tuple[int, torch.Tensor, str]]) -> None:
        """Warn of what is by its name or its shape no matrix of a hidden layer."""
        if wrong := [name for _, _, name in own if NAMES.search(name)]:
            _warn(
                f"{listed(wrong)}: by name an embedding or a last layer, and on {self._rule(own)}. "
                "Orthogonal updates move rare tokens as much as frequent ones; give it to AdamW."
            )
        if flat := [name for _, p, name in own if self._strict and is_vector(p)]:
            _warn(
                f"{listed(flat)}: biases, norms or other vectors, and on {self._rule(own)}, which "
                "would only divide them by their norm; give them to AdamW."
            )

    def _check_rates(self) -> None:
        """Warn where matrices, of one shape each, are moved far less than AdamW moves the rest."""
        places = enumerate(every(self.param_groups))
        shapes = {(k, tuple(p.shape)): (place, name) for place, (k, p, name) in places}
        found: dict[bool, list[float]] = {True: [], False: []}
        own, routes = self._matrices(), self.routes
        matrices = {name for _, _, name in own}
        for place, name in shapes.values():
            found[name in matrices].append(routes[place].rms)
        mine, others = (statistics.median(some) if some else 0.0 for some in found.values())
        if 0 < mine * SLOW <= others:
            _warn(
                f"the first update of a matrix has an expected RMS of {mine:.1e}, "
                f"{others / mine:.0f} times less than AdamW's, {others:.1e}: an orthogonal matrix "
                f"of n rows has elements of 1/√n. Raise lr={self.param_groups[own[0][0]]['lr']}, "
                "or take a rule that is scaled to AdamW's size; see .routes."
            )

    def _update(self) -> None:
        if len(self._rates) > 1 < len(self.param_groups):
            now = {float(group["lr"]) for group in self.param_groups}
            if len(now) == 1 and now != {0.0}:
                made, self._rates = self._rates, []
                _warn(
                    f"all rules have lr={now.pop()} now, and had {made}: a scheduler that sets "
                    "rates gives every group the same. Give it a list with one for each group, or "
                    "take one that scales."
                )
        super()._update()

    def __getstate__(self) -> dict[str, Any]:
        """What `Optimizer` copies, and why parameters have their rules."""
        return {**super().__getstate__(), "_reasons": self._reasons, "_rates": self._rates}


def _settings(text: str, value: Any, rest: Mapping[str, Any]) -> dict[str, Any]:
    """What a route says; AdamW has the settings that are given for it."""
    said = settings_of(text, value)
    other = said.get(RULE) is not None and formula_of(rule_of(said[RULE])).name == OTHER
    return {**rest, **said} if other else said


def _given(adamw: Any) -> dict[str, Any]:
    """The settings of AdamW; raises TypeError for what are none."""
    if not isinstance(adamw, Mapping | None) or "params" in (adamw or {}):
        raise TypeError(
            f"adamw={adamw!r} must be a dict of AdamW's settings, such as {{'lr': 1e-3}}."
        )
    return dict(adamw or {})


def _warn(text: str) -> None:
    """Warn of the line that made or called the optimizer, however deep that is."""
    frame, depth = inspect.currentframe(), 1
    while frame and frame.f_globals.get("__name__", "").split(".")[0] in ("adamas", "torch"):
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, UserWarning, stacklevel=depth)


def _by_layers(
    model: nn.Module, routes: Any, rest: Mapping[str, Any], split: Any
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Why each parameter has its rule, and the groups."""
    known = {} if routes in (None, {}) else compiled(routes)
    patterns = [(one, settings_of(text, routes[text])) for text, one in known.items()]
    reasons: dict[str, str] = {}
    groups: list[dict[str, Any]] = [{"params": []}, {"params": [], **rest}]
    groups += [{"params": [], **settings} for _, settings in patterns]
    left = list[Layer]()
    for one in layers(model):
        place = next((k for k, (text, _) in enumerate(patterns, 2) if text.search(one.name)), None)
        if place is None:
            left.append(one)
        else:
            reasons[one.name] = "routes"
            groups[place]["params"].append((one.name, one.parameter))
    if idle := [text for k, text in enumerate(known, 2) if not groups[k]["params"]]:
        raise ValueError(f"routes: {idle[0]!r} decides no name.")
    if names := [f"{one.name} ({one.why})" for one in left if not one.kind]:
        raise ValueError(
            f"what these are, no layer says: {listed(names)}. Give them a rule by name: "
            f"routes={{{re.escape(names[0].split(' ')[0])!r}: 'adamw'}}."
        )
    check_split(split)
    unsplit = [
        one for one in left if one.fused and parts_of(split, one.name, one.parameter.shape) == 1
    ]
    _check_fused([one for one in unsplit if one.parameter.requires_grad])
    # Should they be trained, later, AdamW is never wrong.
    frozen = {one.name: f"frozen: {one.fused}" for one in unsplit}
    for one in left:
        reasons[one.name] = frozen.get(one.name, one.why)
        groups[one.name in frozen or one.kind != HIDDEN]["params"].append((one.name, one.parameter))
    return reasons, [group for group in groups if group["params"]]


def _check_fused(fused: Sequence[Layer]) -> None:
    """Raise ValueError for matrices that would be orthogonalized as one, and say how to split."""
    if not fused:
        return
    first = fused[0]
    names = [one.name for one in fused if (one.fused, one.parts) == (first.fused, first.parts)]
    text = re.escape(first.name)
    how = f"Say how many it is: split={{{text!r}: {first.parts}}}"
    if not first.parts:
        how = f"Their rows differ: say how many parts of equal rows, split={{{text!r}: ...}}"
    raise ValueError(
        f"{listed(names)}: {first.fused}, which would be orthogonalized as one. {how}; or step it "
        f"by AdamW: routes={{{text!r}: 'adamw'}}."
    )


def _by_names(params: Any, routes: Any, rest: Mapping[str, Any]) -> Any:
    """Groups of named parameters; raises ValueError for names that say nothing."""
    given = list(params) if isinstance(params, Iterable) else params
    if isinstance(given, Sequence) and given and all(isinstance(one, dict) for one in given):
        return given
    if routes is not None:
        return grouped(given, routes)
    pairs = [one if isinstance(one, tuple) else (f"{k}", one) for k, one in enumerate(given)]
    if matrices := [name for name, p in pairs if p.ndim > 1]:
        raise ValueError(
            f"from its name alone an embedding or a last layer is a matrix like any other: "
            f"{listed(matrices)}. Pass the module itself; or named parameters and routes="
            "{'embed|head|norm|bias': 'adamw', '': ...}; or groups, [{'params': matrices}, "
            "{'params': others, 'rule': 'adamw'}]."
        )
    return [{"params": given, **rest}]
