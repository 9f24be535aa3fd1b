"""Whatever can be written in the formula language is compiled to what it means, or refused."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from adamas.engine.optimizer import Optimizer
from adamas.kernel.formula import FormulaError, parse
from adamas.kernel.reference import Reference
from error_bounds import WildAnalysis
from few_bits import everywhere
from grammar import ABOVE, any_rule, any_sums, joined
from long_form import LONG
from written import function

TOGETHER = 8
RULES = 2000 if LONG else 16
SIZE = 150
# So many elements are run one by one through the function itself.
ALONE = 12
RNG = np.random.default_rng(1)
START = RNG.normal(size=SIZE)
START[:4] = 0.0, -0.0, 1.0, -1.0
GRADIENTS = RNG.normal(size=(2, SIZE))
GRADIENTS[1, 3:9] = 0.0


def accepted(folder: Path, texts: list[str]) -> list[str]:
    """Those that the language takes; it refuses the others, and raises nothing else."""
    found = []
    for text in texts:
        try:
            parse(function(folder, ABOVE + text))
        except FormulaError:
            continue
        found.append(text)
    return found


def wrong(found: Any, expected: Any, bound: Any) -> Any:
    """Where a kernel is neither at the reference nor within the bound of rounding."""
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return ~same & ~(np.abs(found - expected) <= bound) & np.isfinite(bound)


def as_written(typed: Any, names: dict[str, Any], g: Any, t: int) -> dict[str, Any]:
    """The new p and states of one element, by the Python function itself.

    Empty where Python's own numbers raise an error or are complex, as NumPy's never are.
    """
    if not names:
        return {}
    states = [np.float64(x) for name, x in names.items() if name != "p"]
    timed = {"t": np.float64(t)} if "t" in inspect.signature(typed).parameters else {}
    try:
        values = typed(names["p"], np.float64(g), *states, **timed)
    except ArithmeticError:
        return {}
    parts = values if isinstance(values, tuple) else (values,)
    if any(isinstance(x, complex | np.complexfloating) for x in parts):
        return {}
    found = [np.float64(x) for x in parts]
    return dict(zip(["p", *(name for name in names if name != "p")], found, strict=True))


@pytest.mark.parametrize("rules", [any_rule(), any_sums()], ids=["elements", "sums"])
def test_much_of_what_is_drawn_is_in_the_language(
    tmp_path: Path, rules: st.SearchStrategy[str]
) -> None:
    """The random tests below compare something: much of what they draw is taken."""
    texts: list[str] = []

    @settings(max_examples=40, derandomize=True, database=None, phases=[Phase.generate])
    @given(rules)
    def draw(text: str) -> None:
        texts.append(text)

    draw()
    assert len(accepted(tmp_path, texts)) > len(texts) / 3


@settings(
    max_examples=RULES // TOGETHER,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    texts=st.lists(any_rule(), min_size=TOGETHER, max_size=TOGETHER),
    dtype=st.sampled_from(["float32", "float64"]),
    few=st.sampled_from([None, None, None, "int8", "int4", "bfloat16"]),
)
def test_any_formula_is_refused_or_means_what_it_says(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], dtype: str, few: str | None
) -> None:
    """Random formulas equal the float64 run of their text, within rounding, as the function does.

    In few bits they run; where a value is not finite, so is the kernel's, or rounding decided it.
    """
    folder = tmp_path_factory.mktemp("rules")
    texts = accepted(folder, texts)
    if not texts:
        return
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        # No second run will need these kernels.
        patch.setattr("adamas.kernel.build.write", lambda stem, content: None)
        typed = function(folder, ABOVE + joined(texts))
        formula = parse(typed)
        p = START.astype(dtype)
        try:
            optimizer = Optimizer(formula, p, on_nonfinite="allow")
            if few:
                q = START.astype("float32")
                Optimizer(formula, q, state=everywhere(few), on_nonfinite="allow").step(q.copy())
            reference, analysis = Reference(formula, p), WildAnalysis(formula, p, dtype)
            alone = [dict(formula.initial, p=np.float64(x)) for x in p[:ALONE]]
            for t, g in enumerate(GRADIENTS.astype(dtype), 1):
                optimizer.step(g)
                reference.step(g)
                analysis.step(g)
                alone = [as_written(typed, names, x, t) for names, x in zip(alone, g, strict=False)]
        except ValueError as error:
            # A constant that the dtype of the step cannot hold is refused with the settings.
            if "Choose other numbers" not in str(error):
                raise
            return
        for name, expected in {"p": reference.p, **reference.state}.items():
            found = np.asarray(p if name == "p" else optimizer.state[0][name], np.float64)
            bound = np.broadcast_to(analysis.bound(name), p.shape)
            assert not wrong(found, expected, bound).any(), (name, texts)
            written = np.array([names.get(name, np.nan) for names in alone], np.float64)
            expected = np.broadcast_to(expected, p.shape)[:ALONE]
            ran = np.array([bool(names) for names in alone])
            assert not (ran & wrong(written, expected, bound[:ALONE])).any(), (name, texts)


@settings(
    max_examples=4 * RULES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
@given(text=any_sums(), shape=st.sampled_from([(), (6,), (4, 3), (3, 2, 2)]))
def test_any_sum_means_what_numpy_makes_of_it(
    tmp_path_factory: pytest.TempPathFactory, text: str, shape: tuple[int, ...]
) -> None:
    """Random formulas with sums are the function itself, run on whole arrays, bit for bit."""
    folder = tmp_path_factory.mktemp("sums")
    typed = function(folder, ABOVE.replace("TWO = 2", "TWO = 2.0") + text)
    try:
        formula = parse(typed)
    except FormulaError:
        return
    p = np.random.default_rng(2).normal(size=shape)
    reference = Reference(formula, p)
    state = {"p": p} | {name: np.zeros(reference.shapes[name]) for name in ("m", "v")}
    sizes = {"rows": p.shape[0] if shape else 1, "columns": int(np.prod(shape[1:]))}
    numbers = {name: np.float64(x) for name, x in {**sizes, "lr": 0.5}.items()}
    with np.errstate(all="ignore"):
        for t in (1, 2):
            g = np.random.default_rng(t).normal(size=shape)
            reference.step(g)
            found = typed(state["p"], g, state["m"], state["v"], t=np.float64(t), **numbers)
            for (name, old), new in zip(state.items(), found, strict=True):
                # Arrays that lie otherwise in memory are added up in another order.
                state[name] = np.array(np.broadcast_to(new, old.shape))
                expected = reference.p if name == "p" else reference.state[name]
                np.testing.assert_array_equal(expected, state[name], err_msg=text)
