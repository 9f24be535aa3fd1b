"""The page says what a run costs, in gradients, updates or samples, as it is."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from adamas.lab import compare, loop_problem, numpy_problem
from adamas.lab.protocol.results import described
from adamas.lab.report import costs
from adamas.lab.text import Say

X = np.linspace(-1, 1, 40)[:, None]


def subject(rows: dict[str, Any], *, loop: bool = False, lang: str = "en") -> Any:
    """Return what the sentences are made from: 100 updates of 32 samples."""
    return SimpleNamespace(
        say=Say(lang),  # type: ignore[arg-type]
        rows=rows,
        plan={"steps": 100, "batch": 32},
        problem={"loop": True} if loop else {},
        names=", ".join,
        said=str,
    )


def slope(params: Any, x: Any, y: Any) -> Any:
    """Return a loss and its gradient."""
    off = x @ params["w"] - y
    return 1 + np.mean(off**2), {"w": 2 * x.T @ off / len(y)}


def train(make_optimizer: Any, seed: int, steps: int) -> Iterator[float]:
    """Train a number."""
    make_optimizer({"w": np.ones(1)})
    yield 1.0


def test_updates_are_said_to_be_of_the_problems_batch() -> None:
    """3,200 samples are 100 updates of 32, 50 of 64 and 1 of 3000; the page gives both counts."""
    rows = {"adam": {}, "adam:batch=64": {"batch": 64}, "sgd:batch=3000": {"batch": 3000}}
    said = costs.batches(subject(rows))
    assert "counted in batches of 32" in said
    assert "adam:batch=64 (50 updates of 64)" in said
    assert "sgd:batch=3000 (1 update of 3000)" in said
    assert "更新 50 次，每批 64 个" in costs.batches(subject(rows, lang="zh"))
    assert costs.batches(subject({"adam": {}, "adam:batch=32": {"batch": 32}})) == ""


def test_gradients_are_charged_where_they_are_counted_only() -> None:
    """In a loop steps are counted, and with another batch the samples of the gradients."""
    rows: dict[str, Any] = {"adam": {"asks": False}, "lbfgs": {"asks": True}}
    assert "ends after 100 gradients" in costs.gradients(subject(rows))
    assert "steps are counted and not gradients" in costs.gradients(subject(rows, loop=True))
    rows["adam"]["batch"] = 64
    said = costs.gradients(subject(rows))
    assert "gradients of 3,200 samples" in said and "after 100" not in said
    assert costs.gradients(subject({"adam": {"asks": False}}, loop=True)) == ""


def test_results_know_batch_and_loop(tmp_path: Path) -> None:
    """What the sentences are made from is in the results."""
    problem = numpy_problem(slope, {"w": np.zeros(1)}, (X, X[:, 0]), steps=12, every=6, batch=4)
    call: dict[str, Any] = {"quick": True, "seeds": 2, "workers": 1, "progress": False}
    found = compare(problem, ["sgd", "sgd:batch=8"], **call)
    rows: Any = found.to_dict()["optimizers"]
    assert [row.get("batch") for row in rows.values()] == [None, 8]
    assert "SGD batch=8 (6 updates of 8)" in found.save(tmp_path / "page.html").read_text()
    assert described(loop_problem(train, steps=4))["loop"]
    with pytest.raises(KeyError):
        described(problem)["loop"]
