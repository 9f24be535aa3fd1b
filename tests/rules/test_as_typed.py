"""What researchers typed from papers compiles as it stands, and is what its author's package does.

Not Muon, which needs a product of matrices.
"""

from pathlib import Path

import numpy as np
import pytest

import adamas
import typed_rules
from adamas.kernel.formula import parse
from foreign import distance
from long_form import few_of
from plainly import plainly
from reduction_foreign import by_reference, gradients, start
from reduction_steps import by_kernel
from typed_foreign import TYPED, Typed
from written import function

STEPS = 20


def by_its_name(case: Typed) -> str:
    """What the rule of a case is called."""
    return case.rule.__name__


every_case = pytest.mark.parametrize("case", TYPED, ids=by_its_name)


@every_case
def test_a_rule_as_typed_is_what_python_makes_of_it(case: Typed) -> None:
    """Read and run line by line, it gives what its own text gives, called as a function."""
    p, grads = start(case.shape, "float64"), gradients(case.shape, "float64")[:STEPS]
    mine = by_reference(case.rule, p, grads, case.hypers)
    plain = plainly(case.rule, parse(case.rule), p, grads, case.hypers)
    assert max(distance(mine, plain).values()) < 1e-13


@every_case
def test_a_rule_as_typed_goes_where_its_package_goes(case: Typed) -> None:
    """It is the optimizer of the package that has it, in parameter and states."""
    p, grads = start(case.shape, "float64"), gradients(case.shape, "float64")[:STEPS]
    mine = by_reference(case.rule, p, grads, case.hypers)
    theirs = case.foreign(p, grads, case.hypers)
    assert max(distance(mine, theirs).values()) < case.rtol


# Each takes a kernel of its own; above, every rule is read and run.
@pytest.mark.parametrize("case", few_of(TYPED, 6), ids=by_its_name)
def test_a_compiled_rule_is_what_python_makes_of_it(case: Typed) -> None:
    """Compiled, it gives what its own text gives on float64 arrays, called as a function."""
    p, grads = start(case.shape, "float64"), gradients(case.shape, "float64")[:STEPS]
    mine = by_kernel(case.rule, p, grads, **case.hypers)
    plain = plainly(case.rule, parse(case.rule), p, grads, case.hypers)
    assert max(distance(mine, plain).values()) < 1e-13


def test_langevin_dynamics_samples() -> None:
    """On x**2 / 2 it is an autoregression, whose variance becomes 1 / (1 - lr / 4)."""
    lr, p = 0.2, np.zeros(20_000)
    optimizer = adamas.Optimizer(typed_rules.sgld, p, lr=lr, seed=1)
    for _ in range(100):
        optimizer.step(p.copy())
    # Five deviations of the mean and of the variance of so many samples.
    assert abs(p.mean()) < 5 / np.sqrt(p.size)
    assert p.var() * (1 - lr / 4) == pytest.approx(1.0, abs=5 * np.sqrt(2 / p.size))


def test_langevin_dynamics_without_noise_is_gradient_descent() -> None:
    """At temperature 0 what is left is half a step of `SGD`."""
    p, q, grads = start((12, 5), "float64"), start((12, 5), "float64"), np.ones((12, 5))
    adamas.Optimizer(typed_rules.sgld, p, lr=0.2, temperature=0.0).step(grads)
    adamas.SGD(q, lr=0.1).step(grads)
    assert p.tobytes() == q.tobytes()


REFUSED = {
    # AdaShift with the phi of its paper, the largest square of the tensor.
    "v = beta * v + (1 - beta) * max(g * g)": ["across a tensor", "`norm`, `rms`, `mean`"],
    # Muon.
    "v = v @ v.T": ["whole matrix by `orthogonalize(x)`", "products of matrices are not there"],
    # A line for each layer, or each of five iterations.
    "for _ in range(5):\n        v = v * v": ["no `for` statement", "one for each turn"],
    "v = np.linalg.svd(g)": ["products of matrices are not there"],
    "v = g / p.shape[0]": ["Ask for `rows` and `columns`"],
}


@pytest.mark.parametrize(("line", "said"), REFUSED.items())
def test_what_cannot_be_written_says_what_comes_nearest(
    line: str, said: list[str], tmp_path: Path
) -> None:
    """A rule of the trial that the language has not is refused where it is defined, with advice."""
    text = f"import numpy as np\ndef f(p, g, v, *, lr=0.1, beta=0.9):\n    {line}\n    return p, v"
    with pytest.raises(adamas.FormulaError) as raised:
        adamas.rule(function(tmp_path, text))
    for words in said:
        assert words in str(raised.value)
