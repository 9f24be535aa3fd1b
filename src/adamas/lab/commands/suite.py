"""Many problems at once: profiles, one robust aggregate with its interval, a table per problem.

Never one winner by itself: which optimizer is best depends on the problem, and the profile shows on
which share of them each comes how close.
"""

from collections.abc import Mapping
from math import inf
from typing import Any

from adamas.lab.protocol.results import Tree, plain
from adamas.lab.statistics.profiles import (
    LIMIT,
    TAUS,
    interquartile_mean,
    performance_profile,
    profile_area,
)


def suite_tree(found: Mapping[str, Tree], skipped: Mapping[str, str]) -> Tree:
    """Return the results of a suite from those of its problems; `skipped` says why some are not in.

    `profiles` are over updates to the target, where a miss is infinite; `aggregate` is the
    interquartile mean over all problems and seeds of the final loss divided by the mean final loss
    of the reference on the problem.
    """
    names = list(next(iter(found.values()))["optimizers"])
    costs = {name: [updates(tree, name) for tree in found.values()] for name in names}
    reference = next(iter(found.values()))["verdict"]["reference"]
    tree: dict[str, Any] = {
        "problems": dict(found),
        "skipped": dict(skipped),
        "optimizers": names,
        "reference": reference,
        "profiles": {"tau": list(TAUS), "limit": LIMIT, "rho": performance_profile(costs)},
        "area": profile_area(costs),
        "aggregate": {
            name: interquartile_mean([shares(tree, name, reference) for tree in found.values()])
            for name in names
        },
        "updates": costs,
    }
    tree["aggregate"] = {k: vars(v) for k, v in tree["aggregate"].items()}
    result: Tree = plain(tree)
    return result


def updates(tree: Tree, name: str) -> float:
    """Return the median updates to the target, infinite for a miss, at least one evaluation."""
    median = tree["optimizers"][name]["target"]["median"]
    return inf if median is None else max(float(median), float(tree["plan"]["every"]))


def shares(tree: Tree, name: str, reference: str) -> list[float]:
    """Return every report seed's final loss as a share of the reference's mean; inf if it failed.

    Where the reference itself failed, the best optimizer's mean takes its place.
    """
    means = {key: row["interval"]["mean"] for key, row in tree["optimizers"].items()}
    known = [mean for mean in means.values() if mean is not None]
    base = means[reference] if means[reference] is not None else min(known, default=1.0)
    finals = tree["optimizers"][name]["finals"]
    return [inf if final is None else final / base for final in finals]
