"""Sides that step the very same arrays, because a step's time hangs on which memory it was given.

On a virtual machine whose memory the host backs in pieces, one kernel took 10 or 20 ms on arrays of
one size, by where they lay. Two sides that each step arrays of their own are then compared by luck.
Every function here checks that memory is shared, and raises RuntimeError where it is not.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from adamas import AdamW
from adamas.bench.peers import Array, ones, torch_held, torch_optimizer, torch_sided, traffic
from adamas.bench.timing import Side
from benchmarks.sides import fresh_arrays, fresh_tensors, loop_over

if TYPE_CHECKING:
    import torch


def states(optimizer: Any, parameter: "torch.Tensor") -> "dict[str, torch.Tensor]":
    """What a torch optimizer keeps of every element, without counters."""
    import torch

    entry = optimizer.state[parameter].items()
    return {k: v for k, v in entry if torch.is_tensor(v) and v.dim() and v.numel()}


def settle(optimizer: Any, arrays: "Iterable[Sequence[torch.Tensor]]") -> None:
    """Have a torch optimizer that has stepped keep the state of each parameter in these tensors.

    It steps once more. Tensors are given in the order in which it names its states.
    """
    params, wanted = _parameters(optimizer), [list(given) for given in arrays]
    for p, given in zip(params, wanted, strict=True):
        optimizer.state[p].update(zip(states(optimizer, p), given, strict=True))
    optimizer.step()
    for p, given in zip(params, wanted, strict=True):
        held = states(optimizer, p).values()
        if [one.data_ptr() for one in held] != [one.data_ptr() for one in given]:
            raise RuntimeError(f"{type(optimizer).__name__} does not keep its state where it lies.")


def beside(first: Any, second: Any) -> None:
    """Have two torch optimizers of the same parameters keep the same state; both step.

    What `second` keeps of every element, `first` keeps under the same name.
    """
    first.step()
    second.step()
    settle(
        second,
        [
            [states(first, p)[name] for name in states(second, q)]
            for p, q in zip(_parameters(first), _parameters(second), strict=True)
        ],
    )


def _parameters(optimizer: Any) -> "list[torch.Tensor]":
    return [p for group in optimizer.param_groups for p in group["params"]]


class Ground:
    """Parameters, gradients and moments in float32, in which AdamW of adamas and others step.

    The moments are those that adamas allocated, the public arrays of its `state`; all of it is
    NumPy's memory, which asks for huge pages. `settings` are those of adamas; parameters are all 1
    unless they are given.
    """

    def __init__(
        self, grads: Sequence[Array], params: Sequence[Array] | None = None, **settings: Any
    ) -> None:
        self.grads, self.params = list(grads), ones(grads) if params is None else list(params)
        self.optimizer = AdamW(self.params, **settings)
        self.optimizer.step(self.grads)
        self.moments = [
            [self.optimizer.state[k][name] for name in ("m", "v")] for k in range(len(grads))
        ]

    def adamas(self) -> Side:
        """The optimizer that made the moments."""
        return Side(partial(self.optimizer.step, self.grads), lambda: self.params[0], self._held)

    def adamas_fresh(self) -> Side:
        """The same, given array objects that it did not see in the step before."""
        given = fresh_arrays(self.grads)
        return Side(lambda: self.optimizer.step(next(given)), lambda: self.params[0], self._held)

    def torch(self, **settings: Any) -> Side:
        """AdamW of torch; `settings` such as `fused=True` choose an implementation."""
        return torch_sided(self.settled(**settings))

    def torch_fresh(self) -> Side:
        """Fused AdamW of torch; every step each `grad` is a new tensor, as after `zero_grad`."""
        optimizer = self.settled(fused=True)
        params = _parameters(optimizer)
        step = fresh_tensors(params, self.grads, optimizer.step)
        return Side(step, lambda: self.params[0], partial(torch_held, optimizer))

    def limit(self) -> Side:
        """The memory limit by a rule of adamas, which hardly computes and checks nothing."""
        from adamas.torch import optimizer

        return torch_sided(self.settled(optimizer(traffic), on_nonfinite="allow"))

    def loop(self) -> Side:
        """The same in a plain Numba loop."""
        triples = zip(self.params, self.grads, self.moments, strict=True)
        return loop_over([(p, g, *moments) for p, g, moments in triples])

    def settled(self, make: Callable[..., Any] | None = None, **settings: Any) -> Any:
        """An optimizer of torch, or `make`, that keeps its state in these moments."""
        import torch

        values, grads = [map(torch.from_numpy, each) for each in (self.params, self.grads)]
        optimizer = torch_optimizer(values, grads, make, **settings)
        optimizer.step()
        settle(optimizer, [list(map(torch.from_numpy, each)) for each in self.moments])
        return optimizer

    def _held(self) -> int:
        return sum(each.nbytes for moments in self.moments for each in moments)
