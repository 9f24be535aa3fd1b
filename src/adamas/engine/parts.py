"""What an optimizer is put together from: the one seam between the engine and its faces.

A face reads and fills these parts and hands gradients to the `Stepper` over them; it never needs
an underscored name of the engine, and the engine knows nothing of a face.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from adamas.engine import cpus, phases
from adamas.engine.bind import Binder, Bound
from adamas.engine.first import FirstSteps
from adamas.engine.fixed import FixedList
from adamas.engine.limits import Limits
from adamas.engine.matrices import Blas, Maker
from adamas.engine.missed import MissedSteps
from adamas.engine.options import CHOICES, MEMBERS, OnNonFinite, formula_of
from adamas.engine.peers import Peers
from adamas.engine.plan import BatchMaker, tensor_numbers
from adamas.engine.settings import Hyper, Settings, choice, limit, seeded
from adamas.engine.sparse import Sparse
from adamas.engine.state import Store
from adamas.engine.tensors import Array, Collected, Tensor, collect, nothing, zeros
from adamas.engine.turn import Turn
from adamas.kernel.formula import Formula
from adamas.kernel.observing import with_observation
from adamas.kernel.runtime import job as j
from adamas.kernel.scopes import ALL, SECOND
from adamas.kernel.stages import forms, stages
from adamas.kernel.variants import with_average


class Binding(Protocol):
    """Points the batches of a step at gradients, in whatever form a face hands them down."""

    def bind(self, values: Any, /) -> Bound:
        """The batches for these gradients; what it raises leaves everything as it was."""


class Parts:
    """The parts of one optimizer; what is in a list belongs to the tensor of that place.

    - `formula`: the rule, with the moving average of its parameters where that is kept, and with
      what is noted of its steps; `rule` is it alone.
    - `form`: in which form gradients are given, see `gradients.flatten`.
    - `tensors`: the parameters. Until the first step a `first_block` may be set: which of the
      blocks of a larger tensor is the first here, where this one is a part of it.
    - `keys`: the name or place of each.
    - `settings`: the groups, their hyper-parameters, schedules evaluated.
    - `numbers`: step counts, the keys of random rounding and scalar states, by tensor.
    - `store`: state arrays by name, their codecs and formats; `store.first` knows the rows that
      were never stepped.
    - `sparse`: the histories of rows that may have missed steps.
    - `missed`: does the steps that rows have missed, inside a call of whoever has the turn.
    - `threads`: how many a long step takes.
    - `size`: how many elements the tensors have together.
    - `turn`: who is inside a call, and what came of the last step.
    - `peers`: other processes that hold other parts of the same tensors, or None.
    - `maker`: lays kernels over tensors and state.
    - `sweeps`: does the sweep of a step, as `phases.sweep` does.
    - `long`: whether every step is more than one call of one kernel.
    """

    def __init__(
        self,
        rule: Callable[..., Any] | Formula,
        params: Any,
        hypers: Mapping[str, Hyper],
        options: Mapping[str, Any],
        *,
        peers: Peers | None = None,
        binding: Callable[[Binder], Binding] | None = None,
        products: Maker = Blas,
    ) -> None:
        """Take what `Optimizer` takes, its `options` complete; raises what it raises.

        `params` may be `Collected` already.
        `binding` makes a face's own binder, which falls back on the engine's for what it does not
        know; without it gradients are arrays, `Rows` and None. `products` multiplies matrices.
        """
        self._products = products
        self.formula = self.rule = formula_of(rule)
        if (ema := options["ema"]) is not None:
            self.formula, hypers = with_average(self.formula), {**hypers, "ema": ema}
        if options["observe"]:
            self.formula = with_observation(self.formula)
        for name, allowed in CHOICES.items():
            choice(name, options[name], allowed)
        self.clip = limit(options["clip_norm"])
        self.on_nonfinite: OnNonFinite = options["on_nonfinite"]
        self.tally = options["track_norm"]
        self.sign = -1.0 if options["maximize"] else 1.0
        self.threads = cpus.taken(options["threads"])
        self.peers = peers
        self.sweeps: Callable[..., None] = phases.sweep
        self.long = self.tally or peers is not None
        rowwise = self.formula.rowwise
        collected: Collected = (
            params
            if isinstance(params, Collected)
            else Collected(*collect(params, lambda group: rowwise))
        )
        self.tensors, groups, self.form = collected.tensors, collected.groups, collected.form
        self.every: Sequence[Tensor] = self.tensors
        self.keys = [tensor.key for tensor in self.tensors]
        for k, group in enumerate(groups):
            members = [tensor for tensor in self.tensors if tensor.group == k]
            group["params"] = FixedList([tensor.given for tensor in members], MEMBERS)
            group["names"] = FixedList([tensor.key for tensor in members], MEMBERS)
        self.settings = Settings(
            self.formula.name, self.formula.hypers, hypers, groups, collected.numbers
        )
        self._lay_out(options)
        binder = Binder(self.tensors, self.maker)
        self._binder = binder
        self.binding: Binding = binding(binder) if binding else binder
        self.size = sum(tensor.given.size for tensor in self.tensors)
        self.reads_second = SECOND in self.formula.given
        # What the last step read beside its gradients, or copies of it.
        self._seconds: list[Array] = []
        self.packed = [tensor for tensor in self.tensors if tensor.packed]
        self._steps = self.numbers.steps.data
        self.turn = self._turn = Turn()

    def _lay_out(self, options: Mapping[str, Any]) -> None:
        """Make the state, and what lays kernels over it."""
        formula, tensors = self.formula, self.tensors
        # Most rules have one form: their text is taken apart once.
        plans = [stages(one) for one in dict.fromkeys(forms(formula))]
        seed, exact = seeded(options["seed"]), options["rows"] == "exact"
        count, table = max(len(plan.constants) for plan in plans), self.settings.table
        self.numbers = tensor_numbers(formula, tensors, table, count, seed)
        first = FirstSteps(plans[0].parts.first is not None, exact, self.numbers)
        mode = self.on_nonfinite
        self.look = j.GUARD * (mode == "guard")
        # The same where all gradients were read first: sums may overflow afterwards.
        self.late = j.LATE * (mode != "allow" and bool(formula.over))
        # Whether all gradients are read first; None where that depends on the step.
        self.checks = None if self.look and first.asked else mode in ("raise", "skip")
        if self.look and ALL in formula.over:
            # A number that is not finite would reach all tensors.
            self.checks = True
        kept = options["state"], options["master"]
        make = zeros if options["state_dir"] is None else nothing
        self.store = store = Store(formula, tensors, self.numbers, first, *kept, make)
        self.settings.limit(Limits(formula, store.computes(len(self.settings.groups))))
        self.zero_grads = options["zero_grads"]
        self.maker = BatchMaker(store, self.zero_grads, self.tally, self._products)
        self.sparse = Sparse(self.maker)
        self.missed = MissedSteps(tensors, self.sparse, self.sign, self.threads)

    def meet(self, every: Sequence[Tensor]) -> None:
        """Know of the parameters of other rules, which this one's steps may not read as they move.

        A gradient, or an array beside it, that lies in the memory of one of them is copied.
        """
        self.every = every
        self._binder.meet(every)

    def computes(self) -> list[str]:
        """The dtype that each tensor is stepped in."""
        return list(map(self.store.compute, range(len(self.tensors))))
