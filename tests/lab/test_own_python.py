"""The user's own code: three adapters agree with each other, and what is wrong is named."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from adamas.lab import LabError, Problem, jax_problem, numpy_problem, torch_problem
from adamas.lab.own import template
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.problems import Array, Batch, Params, generator
from own_files import trained

COUNT, WIDTH = 120, 4
SEED = 3


def linear() -> tuple[Array, Array]:
    """Return a linear regression with a little noise, float32."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((COUNT, WIDTH))
    y = x @ [1.0, -2.0, 0.5, 3.0] + 0.1 * rng.standard_normal(COUNT)
    return x.astype(np.float32), y.astype(np.float32)


def loss_and_grad(params: Params, x: Array, y: Array) -> tuple[float, Params]:
    """Return the mean squared error and its gradient."""
    off = x @ params["weight"][0] + params["bias"] - y
    slope = 2 * off / len(y)
    return np.mean(off**2), {"weight": (slope @ x)[None], "bias": slope.sum(keepdims=True)}


def zeros() -> Params:
    """Return the start that all three share."""
    return {"weight": np.zeros((1, WIDTH), np.float32), "bias": np.zeros(1, np.float32)}


def by_numpy(data: Batch) -> Problem:
    """Return the problem by a gradient in closed form."""
    return numpy_problem(loss_and_grad, zeros(), data, steps=60)


def by_torch(data: Batch) -> Problem:
    """Return the same by torch's differentiation."""
    torch = pytest.importorskip("torch")

    def build() -> object:
        module = torch.nn.Linear(WIDTH, 1)
        for parameter in module.parameters():
            torch.nn.init.zeros_(parameter)
        return module

    return torch_problem(build, data, lambda out, y: ((out[:, 0] - y) ** 2).mean(), steps=60)


def by_jax(data: Batch) -> Problem:
    """Return the same by JAX's differentiation."""
    pytest.importorskip("jax")

    def loss(params: Params, x: Array, y: Array) -> object:
        return ((x @ params["weight"][0] + params["bias"] - y) ** 2).mean()

    return jax_problem(loss, zeros(), data, steps=60)


@pytest.mark.parametrize("make", [by_torch, by_jax])
def test_three_ways_are_one_training(make: Callable[[Batch], Problem]) -> None:
    """Closed form, torch and JAX: the same batches, gradients, judge and trained parameters."""
    data = linear()
    mine, theirs = by_numpy(data).task(SEED), make(data).task(SEED)
    assert mine.evaluate(mine.start()) == pytest.approx(theirs.evaluate(theirs.start()), rel=1e-5)
    grads = [
        {n: np.full_like(v, np.nan) for n, v in task.start().items()} for task in (mine, theirs)
    ]
    for one, other in zip(islice(mine.batches(), 5), islice(theirs.batches(), 5), strict=True):
        np.testing.assert_array_equal(one[0], np.asarray(other[0]))
        losses = [
            t.gradient(t.start(), b, g)
            for t, b, g in zip((mine, theirs), (one, other), grads, strict=True)
        ]
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
        for expected in loss_and_grad(zeros(), *one)[1].values():
            near = [g for g in grads[1].values() if g.shape == expected.shape]
            np.testing.assert_allclose(near[0], expected, rtol=1e-4, atol=1e-6)
    (_, expected_end), (_, end) = (trained(p, 60, 0.05) for p in (by_numpy(data), make(data)))
    end = {name.strip("[']"): value for name, value in end.items()}
    for name in ("weight", "bias"):
        np.testing.assert_allclose(end[name], expected_end[name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("make", [by_numpy, by_torch, by_jax])
def test_training_learns(make: Callable[[Batch], Problem]) -> None:
    """Training takes the error from the variance of the answers to a hundredth of it."""
    task, params = trained(make(linear()), 120, 0.1)
    assert task.evaluate(params) < task.evaluate(task.start()) / 100


def test_the_seed_draws_start_split_and_order() -> None:
    """A start function gets the seed's generator, and a given validation set is used as it is."""
    x, y = linear()
    problem = numpy_problem(
        loss_and_grad,
        lambda rng: {"weight": rng.standard_normal((1, WIDTH)), "bias": np.zeros(1)},
        (x, y),
        validation=(x[:7], y[:7]),
        batch=COUNT,
        metrics=lambda params, x, y: {"rows": len(x)},
        higher=("rows",),
    )
    task = problem.task(SEED)
    expected = generator(SEED, 1).standard_normal((1, WIDTH))
    np.testing.assert_array_equal(task.start()["weight"], expected)
    assert task.start()["weight"] is not task.start()["weight"]
    blank = {"weight": np.zeros((1, WIDTH)), "bias": np.zeros(1)}
    assert task.evaluate(blank) == pytest.approx(np.mean(y[:7] ** 2))
    assert task.extras(blank) == {"rows": 7}
    assert len(next(task.batches())[0]) == COUNT
    assert problem.about is not None and problem.about.higher == ("rows",)
    assert not np.array_equal(expected, problem.task(SEED + 1).start()["weight"])


def test_a_torch_data_set_with_dropout_is_fixed_by_the_seed() -> None:
    """Dropout and noise in a data set are drawn from the seed; judging draws nothing."""
    torch = pytest.importorskip("torch")
    x, y = linear()

    class Noisy(torch.utils.data.Dataset):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return COUNT

        def __getitem__(self, i: int) -> tuple[object, object]:
            return torch.from_numpy(x[i]) + 0.1 * torch.randn(WIDTH), y[i]

    def build() -> object:
        return torch.nn.Sequential(
            torch.nn.Linear(WIDTH, 8), torch.nn.Dropout(), torch.nn.Linear(8, 1)
        )

    def loss_fn(out: object, y: object) -> object:
        return torch.nn.functional.mse_loss(out[:, 0], y)  # type: ignore[index]

    problem = torch_problem(
        build, Noisy(), loss_fn, validation=(x, y), steps=20, metrics=lambda out, y: {"n": len(out)}
    )
    (one, first), (_, second) = trained(problem, 20, 0.05), trained(problem, 20, 0.05)
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
    assert one.evaluate(one.start()) == one.evaluate(one.start())
    assert one.extras(one.start()) == {"n": COUNT}


def test_float64_data_meets_a_float32_module() -> None:
    """NumPy's default dtype does not stop torch's."""
    pytest.importorskip("torch")
    x, y = linear()
    task = by_torch((x.astype(np.float64), y.astype(np.float64))).task(SEED)
    assert task.evaluate(task.start()) == pytest.approx(
        by_torch((x, y)).task(SEED).evaluate(task.start()), rel=1e-6
    )


@pytest.mark.parametrize(
    ("rows", "batch", "word"),
    [(COUNT, 97, "from 1 to 96"), (COUNT, 0, "batch is 0"), (3, 1, "at least 5")],
)
def test_data_that_fill_no_batch(rows: int, batch: int, word: str) -> None:
    """A batch larger than the training samples, which would never come, is refused."""
    x, y = linear()
    with pytest.raises(LabError, match=word):
        numpy_problem(loss_and_grad, zeros(), (x[:rows], y[:rows]), batch=batch)
    with pytest.raises(LabError, match="120 inputs and 119"):
        numpy_problem(loss_and_grad, zeros(), (x, y[1:]))


# mine.py


def own(folder: Path, body: str) -> str:
    """Write a mine.py whose function `problem` has this body; return its name for `Spec`."""
    path = folder / "mine.py"
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    path.write_text(
        "import numpy as np\nfrom adamas.lab import numpy_problem\n"
        "x, y = np.ones((50, 2)), np.ones(50)\nw = {'w': np.zeros(2)}\n"
        f"def problem():\n{lines}\n"
    )
    return f"{path}:problem"


GRADIENT = "return numpy_problem(lambda p, x, y: ({loss}, {{{grads}}}), {start}, (x, y)%s)"


def body(
    loss: str = "1.0", grads: str = "'w': np.ones(2)", start: str = "w", more: str = ""
) -> str:
    """Return a body whose problem has these parts."""
    return GRADIENT.format(loss=loss, grads=grads, start=start) % more


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("return 3", ["gave int", "adamas.lab.Problem", "--new"]),
        ("return 1 / 0", ["ZeroDivisionError", "line 6"]),
        (body(loss="np.nan"), ["training loss", "nan"]),
        (body(loss="0.0"), ["validation loss", "0.0", "positive"]),
        (body(grads="'w': np.array([1, np.inf])"), ["gradient of 'w'", "not finite"]),
        (body(grads="'v': np.ones(2)"), ["gradient has v", "parameters are w"]),
        (body(grads="'w': np.ones(3)"), ["(3,)", "(2,)"]),
        (body(start="{'w': np.zeros(2, int)}"), ["start()", "float32 or float64"]),
        (body(start="{}"), ["start()"]),
        (body(more=", steps=10, every=20"), ["every 20 of 10"]),
        (body(loss="{}['k']"), ["KeyError", "line 6"]),
    ],
)
def test_what_is_wrong_in_mine_is_named(text: str, words: list[str], tmp_path: Path) -> None:
    """A problem that no optimizer could train is refused with the part and the reason."""
    with pytest.raises(LabError) as caught:
        resolve(Spec(own(tmp_path, text)))
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_does_not_run(tmp_path: Path) -> None:
    """A syntax error is named with its line, and a name that is missing with the closest."""
    good = own(tmp_path, body())
    assert resolve(Spec(good)).batch == 32
    with pytest.raises(LabError, match="defines no probelm; did you mean problem"):
        resolve(Spec(good.replace(":problem", ":probelm")))
    with pytest.raises(LabError, match=r"write mine\.py:problem"):
        resolve(Spec(good.removesuffix(":problem")))
    with pytest.raises(LabError, match="--target y"):
        resolve(Spec(good, "y"))
    with pytest.raises(LabError, match="no file"):
        resolve(Spec(str(tmp_path / "yours.py:problem")))
    (tmp_path / "broken.py").write_text("a = 1\nb = = 2\n")
    with pytest.raises(LabError, match=r"SyntaxError.*line 2"):
        resolve(Spec(str(tmp_path / "broken.py:problem")))


def test_a_problem_object_and_a_neighbour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may define the `Problem` itself and import what lies beside it."""
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    (tmp_path / "beside_own_test.py").write_text("RATE = 7\n")
    own(tmp_path, "return beside_own_test.RATE")
    path = tmp_path / "mine.py"
    text = path.read_text().replace("import numpy", "import beside_own_test\nimport numpy", 1)
    path.write_text(
        text + body(more=", steps=problem()", start="w").replace("return", "ready =") + "\n"
    )
    assert resolve(Spec(f"{path}:ready")).steps == 7


@pytest.mark.parametrize("name", ["problem", "torch_version", "jax_version"])
def test_the_template_runs_as_it_is(name: str, tmp_path: Path) -> None:
    """The example that `--new` writes resolves and learns, in each of its three forms."""
    if name != "problem":
        pytest.importorskip(name.removesuffix("_version"))
    template.write(tmp_path / "mine.py")
    problem = resolve(Spec(f"{tmp_path / 'mine.py'}:{name}"))
    task, params = trained(problem, 200, 0.03)
    assert task.evaluate(params) < 0.6 * task.evaluate(task.start())


def test_the_template_overwrites_nothing(tmp_path: Path) -> None:
    """A file that is there stays as it is, and a name that Python cannot import is refused."""
    path = tmp_path / "mine.py"
    path.write_text("mine")
    with pytest.raises(LabError, match="not overwritten"):
        template.write(path)
    assert path.read_text() == "mine"
    for name in ("mine.txt", "my-file.py"):
        with pytest.raises(LabError, match=r"mine\.py"):
            template.write(tmp_path / name)
    with pytest.raises(LabError, match="cannot be written"):
        template.write(tmp_path / "no" / "mine.py")
