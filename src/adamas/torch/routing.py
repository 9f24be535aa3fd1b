"""Rules by name for torch: named parameters become groups, groups become a table."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from adamas.engine.routes import Route, Routes, route
from adamas.engine.routing import decided, settings_of
from adamas.torch.called import every
from adamas.torch.driver import Driver
from adamas.torch.plans import Plan
from adamas.torch.products import parts_of
from adamas.torch.shards import plain


def grouped(params: Any, routes: Any) -> list[dict[str, Any]]:
    """Named parameters as one group for each route; raises TypeError for those without names."""
    pairs = list(params)
    if not pairs or not all(isinstance(one, tuple) and len(one) == 2 for one in pairs):
        raise TypeError(
            "routes= decides by name, and these parameters have none; pass "
            "model.named_parameters(), or groups that name their rules."
        )
    known = dict(pairs)
    return [
        {"params": [(name, known[name]) for name in names], **settings_of(text, routes[text])}
        for text, names in decided(known, routes).items()
    ]


def table(driver: Driver, reasons: Mapping[str, str]) -> Routes:
    """By which rule each parameter is stepped, and how far at first."""
    driver.lift()
    groups = driver.owner.param_groups
    plans, split = driver.plans.of(groups), driver.options["split"]
    found = [
        partial(_route, plans.each[k], groups[k], p, name, reasons.get(name, ""), split)
        for k, p, name in every(groups)
    ]
    return Routes(found)


def _route(
    plan: Plan, group: Mapping[str, Any], p: torch.Tensor, name: str, why: str, split: Any
) -> Route:
    shape, rows = tuple(p.shape), tuple(p.shape[:1])
    if (parts := parts_of(split, name, shape)) > 1 and plan.formula.orthogonalizes:
        rows, why = (shape[0] // parts,), f"{why}: {parts} matrices, one below the other"
    made = route(plan.formula, name, (*rows, *shape[1:]), plan.numbers(group), _size(p), why)
    return replace(made, shape=shape)


@torch.no_grad()
def _size(p: torch.Tensor) -> float:
    """The RMS of a parameter; of a DTensor, of what lies here: ranks are not asked."""
    here = plain(p.detach())
    if not here.numel() or here.device.type == "meta":
        return 0.0
    return float(here.abs().to(torch.float64).square().mean().sqrt())
