"""Problems from the user's own code: NumPy functions, a torch module, or a JAX function.

Each returns a `Problem`, so that a file of a few lines is enough for `adamas compare mine.py:NAME`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.function_task import FunctionTask, Loss, LossAndGrad, Metrics, judged
from adamas.lab.own.splits import HELD
from adamas.lab.problems import About, Array, Batch, Params, Problem, Task, generator
from adamas.lab.text import LANGUAGES, words
from adamas.pages.sentences import printable

if TYPE_CHECKING:
    import torch

Label = Literal["real", "composite", "synthetic"]
EVALUATIONS = 30


def numpy_problem(
    loss_and_grad: LossAndGrad,
    start: Callable[[np.random.Generator], Params] | Mapping[str, Array],
    data: Batch,
    *,
    validation: Batch | None = None,
    loss: Loss | None = None,
    metrics: Metrics | None = None,
    name: str = "mine",
    steps: int = 1000,
    every: int | None = None,
    batch: int = 32,
    higher: tuple[str, ...] = (),
    label: Label = "real",
) -> Problem:
    """Return a problem from a NumPy function that gives a batch's mean loss and its gradient.

    `loss_and_grad(params, x, y)` returns the loss and a dict of gradients named and shaped like
    `params`. `start(rng)` returns the first parameters of a seed, a dict of float32 or float64
    arrays; or is that dict, the same for every seed. `data` is `(x, y)`, arrays with one sample in
    each row. Without `validation`, also `(x, y)`, the seed holds a fifth of the data back, of which
    at most 4,000 samples judge. They are judged by `loss(params, x, y)`, by default the loss of
    `loss_and_grad`; it must be positive, and lower is better. `metrics(params, x, y)` returns
    further numbers for the end of a run; `higher` names those that are better when larger.

    A run takes `steps` updates of `batch` samples each and is judged every `every` of them, by
    default 30 times. `label` is shown wherever the problem is. Raises `LabError` if inputs and
    targets differ in number or do not fill a batch.

    >>> def loss_and_grad(params, x, y):
    ...     off = x @ params["w"] - y
    ...     return np.mean(off**2), {"w": 2 * x.T @ off / len(y)}
    >>> x = np.linspace(0, 1, 100)[:, None]
    >>> problem = numpy_problem(loss_and_grad, {"w": np.zeros(1)}, (x, 3 * x[:, 0]), steps=60)
    >>> task = problem.task(0)
    >>> task.evaluate({"w": np.array([2.0])}) < task.evaluate(task.start())
    True
    """
    x, y = data = (np.asarray(data[0]), np.asarray(data[1]))
    _check_data(len(x), len(y), batch, validation is None)
    judge: Loss = loss or (lambda params, x, y: loss_and_grad(params, x, y)[0])

    def task(seed: int) -> Task:
        first = start(generator(seed, 1)) if callable(start) else start
        split = judged(data, validation, seed)
        return FunctionTask(seed, split, batch, dict(first), (judge, loss_and_grad, metrics))

    return _problem(name, "NumPy", (steps, every, batch), task, higher, label)


def torch_problem(
    build_module: "Callable[[], torch.nn.Module]",
    data: Any,
    loss_fn: "Callable[[Any, Any], torch.Tensor]",
    *,
    validation: Any | None = None,
    metrics: Callable[[Any, Any], Mapping[str, Any]] | None = None,
    name: str = "mine",
    steps: int = 1000,
    every: int | None = None,
    batch: int = 32,
    higher: tuple[str, ...] = (),
    label: Label = "real",
) -> Problem:
    """Return a problem from a torch module, its data and its loss.

    `build_module()` returns a module with fresh weights; torch is seeded before the call and before
    each batch, so that dropout and random augmentation are part of the seed. `data` is `(x, y)`,
    arrays or tensors, whose float64 becomes the module's dtype, or a `torch.utils.data.Dataset`
    with a length whose items are `(x, y)`. `loss_fn(outputs, y)` returns a batch's mean loss, a
    tensor without dimensions, such as `torch.nn.CrossEntropyLoss()`; it must be positive.
    `metrics(outputs, y)` gets all validation samples, in evaluation mode.

    The rest is as in `numpy_problem`. Raises `LabError` if torch is not installed.
    """
    from adamas.lab.own.module_task import ModuleTask, data_rows
    from adamas.lab.zoo.torch_task import torch_or_reason

    torch_or_reason(name)
    targets = data[1] if isinstance(data, tuple) else data
    _check_data(len(data_rows(data)), len(targets), batch, validation is None)

    def task(seed: int) -> Task:
        return ModuleTask(seed, build_module, data, validation, batch, (loss_fn, metrics))

    return _problem(name, "PyTorch", (steps, every, batch), task, higher, label)


def jax_problem(
    loss: Callable[[Any, Any, Any], Any],
    start: Any,
    data: Batch,
    *,
    validation: Batch | None = None,
    metrics: Callable[[Any, Any, Any], Mapping[str, Any]] | None = None,
    name: str = "mine",
    steps: int = 1000,
    every: int | None = None,
    batch: int = 32,
    higher: tuple[str, ...] = (),
    label: Label = "real",
) -> Problem:
    """Return a problem from a JAX function, which is compiled and differentiated here.

    `loss(params, x, y)` returns a batch's mean loss, a positive scalar. `params` is any tree of
    arrays: what `start(key)` returns for a key of `jax.random`, or `start` itself. `metrics(params,
    x, y)` gets the validation data.

    The rest is as in `numpy_problem`. Raises `LabError` if JAX is not installed.
    """
    from adamas.lab.own.tree import Tree

    x, y = data = (np.asarray(data[0]), np.asarray(data[1]))
    _check_data(len(x), len(y), batch, validation is None)
    tree = Tree(name, loss, metrics)

    def task(seed: int) -> Task:
        split = judged(data, validation, seed)
        return FunctionTask(seed, split, batch, tree.first(start, seed), tree.functions())

    return _problem(name, "JAX", (steps, every, batch), task, higher, label)


def _check_data(inputs: int, targets: int, batch: int, split: bool) -> None:
    if inputs != targets:
        raise LabError("error.lengths", inputs=inputs, targets=targets)
    train = inputs - inputs // HELD * split
    if not 1 <= batch <= train:
        raise LabError("error.batch", batch=batch, train=train)
    if split and inputs < HELD:
        raise LabError("error.few_samples", inputs=inputs, least=HELD)


def _problem(
    name: str,
    maker: str,
    counts: tuple[int, int | None, int],
    task: Callable[[int], Task],
    higher: tuple[str, ...],
    label: Label,
) -> Problem:
    steps, every, batch = counts
    about = About(
        title=dict.fromkeys(LANGUAGES, printable(name)),
        kind="own",
        model=words("own.model", maker=maker),
        loss=words("own.loss"),
        label=label,
        higher=higher,
    )
    often = max(1, steps // EVALUATIONS) if every is None else every
    return Problem(name, steps, often, batch, task, about=about)
