"""`adamas.AdamW` and its family are the rules, with signatures that editors and mypy understand."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
import write_stubs
from adamas import rules
from adamas.classes import CLASSES
from foreign import hypers_of
from places import ROOT
from stepping import make, snapshot


def test_a_class_for_each_rule() -> None:
    """Every rule of the family has one class, and every class one rule."""
    named = [rule.__name__ for rule in CLASSES.values()]
    assert sorted(named) == sorted(rules.__all__)
    for name in CLASSES:
        assert issubclass(getattr(adamas, name), adamas.Optimizer)


@pytest.mark.parametrize("name", CLASSES)
def test_defaults_are_the_rule_s(name: str) -> None:
    """The signature shows the rule's hyper-parameters with its defaults, lr alone by position."""
    _, params, *shown, options = inspect.signature(
        getattr(adamas, name).__init__
    ).parameters.values()
    expected = hypers_of(CLASSES[name])
    assert params.name == "params"
    assert options.kind is options.VAR_KEYWORD
    assert {q.name: q.default for q in shown} == expected
    assert [q.name for q in shown if q.kind is not q.KEYWORD_ONLY] == ["lr"]
    assert getattr(adamas, name)(np.ones(2)).settings() == expected


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_steps_by_its_rule(name: str) -> None:
    """A class and `Optimizer` with its rule are the same optimizer."""
    w, v = np.linspace(-1, 1, 5), np.linspace(-1, 1, 5)
    mine = getattr(adamas, name)(w, 0.03)
    other = make(CLASSES[name].__name__, v, lr=0.03)
    for each in (mine, other):
        each.step(np.arange(5.0))
        each.step(np.ones(5))
    assert snapshot(mine) == snapshot(other)
    assert repr(mine).startswith(f"<{name} {CLASSES[name].__name__}: 5 elements, lr=0.03")


@pytest.mark.parametrize("name", CLASSES)
def test_help_tells_all(name: str) -> None:
    """A class's docstring is the rule's, with what goes in, and its signature is on `help`."""
    cls = getattr(adamas, name)
    doc = inspect.getdoc(cls) or ""
    assert doc.startswith(inspect.getdoc(CLASSES[name]) or "?")
    for word in ("in place", "float32", "float64", "shape", "schedule", "Raises", "Optimizer"):
        assert word in doc
    assert f"adamas.rules.{CLASSES[name].__name__}" in doc
    assert (cls.__module__, cls.__qualname__) == ("adamas", name)
    assert str(inspect.signature(cls)).startswith("(params, lr: 'Hyper' = ")


@pytest.mark.parametrize(
    ("args", "options", "message"),
    [
        ((0.1, 0.9), {}, "AdamW takes params and lr by position; name the others"),
        ((0.1,), {"lr": 0.1}, "AdamW takes params and lr by position"),
        ((), {"momentum": 0.9}, "adamw has no setting 'momentum'"),
        ((), {"rule": rules.adam}, "rule"),
    ],
)
def test_wrong_calls(args: tuple[Any, ...], options: dict[str, Any], message: str) -> None:
    """A call that does not fit the signature says so."""
    with pytest.raises(TypeError, match=message):
        adamas.AdamW(np.ones(2), *args, **options)


def test_stubs_are_current(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """What type checkers read is what `tools/write_stubs.py` makes of the rules today."""
    assert write_stubs.TARGET.read_text("utf-8") == write_stubs.text()
    monkeypatch.setattr("sys.argv", ["write_stubs.py", "--check"])
    assert write_stubs.main() == 0
    monkeypatch.setattr(write_stubs, "TARGET", Path(__file__))
    assert write_stubs.main() == 1
    assert "run python tools/write_stubs.py" in capsys.readouterr().out


USER = """
import numpy as np
import adamas
from adamas.schedule import cosine

w = np.ones(3, np.float32)
good = adamas.AdamW(w, 1e-3, weight_decay=0.1, clip_norm=1.0, on_nonfinite="skip", threads=2)
good = adamas.AdamW({"w": w}, lr=cosine(1e-3, steps=100), state={"m": "float64"}, ema=0.999)
done: bool = good.step({"w": adamas.Rows([0], [1.0])}, loss_scale=2.0)
norm: float = good.grad_norm
version: str = adamas.__version__
adamas.AdamW(w, lr="fast")  # bad
adamas.AdamW(w, learning_rate=0.1)  # bad
adamas.AdamW(w, 0.1, 0.9)  # bad
adamas.AdamW()  # bad
adamas.AdamW(w, on_nonfinite="explode")  # bad
adamas.AdamW(w, rows="sparse")  # bad
adamas.Lion(w, eps=1e-8)  # bad
adamas.AdaMW(w)  # bad
good.step({"w": w}, clip="1")  # bad
"""


def test_mypy_understands(tmp_path: Path) -> None:
    """A type checker accepts what runs, and marks each wrong argument and each misspelt name."""
    from mypy import api

    file = tmp_path / "user.py"
    file.write_text(USER)
    root = ROOT
    config = [
        "--config-file",
        str(root / "pyproject.toml"),
        "--cache-dir",
        str(root / ".mypy_cache"),
    ]
    out, err, _ = api.run([str(file), "--no-error-summary", "--hide-error-context", *config])
    assert not err
    found = {int(line.split(":")[1]) for line in out.splitlines() if ": error:" in line}
    lines = USER.splitlines()
    assert found == {k for k, line in enumerate(lines, 1) if line.endswith("# bad")}, out
