"""The NumPy optimizer: arrays over time.

Everything about a rule is in its formula, everything about a step in its kernel; this class keeps
the caller's arrays, the state and the settings together, and checks what comes in.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from threading import get_ident
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from adamas.engine import cpus, run
from adamas.engine.bind import Binder
from adamas.engine.copying import Copied
from adamas.engine.first import FirstSteps
from adamas.engine.fixed import FixedDict, FixedList
from adamas.engine.gradients import flatten
from adamas.engine.limits import Limits
from adamas.engine.loading import FORMAT, described, regrouping, unpacked
from adamas.engine.options import CHOICES, LOOK, MEMBERS, Settable, formula_of
from adamas.engine.options import OnNonFinite as OnNonFinite
from adamas.engine.options import Options as Options
from adamas.engine.peers import Peers
from adamas.engine.plan import Planner, numbers
from adamas.engine.rows import row_numbers
from adamas.engine.settings import (
    Hyper,
    Settings,
    choice,
    divisor,
    limit,
    seeded,
)  # fmt: skip
from adamas.engine.sparse import Sparse
from adamas.engine.state import Store
from adamas.engine.stepper import Stepper
from adamas.engine.storage import Spec
from adamas.engine.tensors import Key, collect
from adamas.engine.threads import straight
from adamas.engine.turn import Turn, alone, reading
from adamas.kernel.formula import Formula
from adamas.kernel.hoist import hoist
from adamas.kernel.runtime import job as j
from adamas.kernel.variants import with_average


class Optimizer(Stepper, Copied, Settable):
    """Updates arrays in place by one rule.

    `rule` is a function in the formula language (see `adamas.rules`) or what `adamas.rule` made of
    one. `params` is one array, a list, a dict of names, or a list of groups (dicts with `params`
    and hyper-parameters of their own); float32, float64 or bfloat16 (arrays of `ml_dtypes`, or
    their bits as uint16), any shape.

    - `state`: how the state is stored: `"float32"` (float64 for float64 parameters), `"float64"`,
      `"bfloat16"`, `"int8"`, `"int4"`; a dict that names single states; or a function of a
      parameter's name and array that returns one of these, such as `adamas.careful("int4")`,
      which is what a few-bit text stands for: small and sensitive tensors keep more bits.
      `storage` shows what came of it.
    - `master`: 8 or 16 correction bits beside every bfloat16 parameter; with 16 it is a whole
      float32, without any it is rounded at random.
    - `seed`: of all rounding at random; equal seeds give equal bits, for any number of threads.
    - `clip_norm`: largest Euclidean norm of all gradients together; longer ones are scaled down
      (Pascanu et al. 2013). Torch divides by norm + 1e-6, adamas by the norm.
    - `on_nonfinite`: what a step does about NaN and infinity in a gradient. `"guard"` leaves every
      block of 128 elements that holds one exactly as it was, parameter and state, steps all others
      and then raises `NonFiniteError`; it costs next to nothing. `"raise"` and `"skip"` read all
      gradients first and change nothing at all; `"allow"` lets the arithmetic decide.
    - `track_norm`: sum the squares of all gradients up while stepping, for `grad_norm`.
    - `ema`: decay of an exponential moving average of the parameters, kept as state `average`.
    - `zero_grads`: set the gradients to zero in the same pass; the values of `Rows` stay.
    - `maximize`: go up instead of down.
    - `rows`: what `Rows` do to the rows that are not named: `"lazy"` nothing, `"exact"` what a
      dense step with zeros would have done, caught up when a row is next seen or at `sync`.
    - `threads`: how many, or None for the CPUs this process may use, and where a launcher says by
      LOCAL_WORLD_SIZE that several processes share the machine, for its share of them; `repr` says
      what was taken. The bits do not depend on it.
    - further keywords: the rule's hyper-parameters, numbers or schedules (functions of the step).

    One thread at a time: calls that meet, and calls from inside a step, raise RuntimeError. Raises
    TypeError or ValueError that names the argument, and `FormulaError` for a rule that cannot be
    compiled.
    """

    def __init__(
        self,
        rule: Callable[..., Any] | Formula,
        params: Any,
        *,
        state: Spec = "float32",
        master: Literal[8, 16] | None = None,
        seed: int = 0,
        clip_norm: float | None = None,
        on_nonfinite: OnNonFinite = "guard",
        track_norm: bool = False,
        ema: float | None = None,
        zero_grads: bool = False,
        maximize: bool = False,
        rows: Literal["lazy", "exact"] = "lazy",
        threads: int | None = None,
        **hypers: Hyper,
    ) -> None:
        options = {
            "state": state, "master": master, "seed": seed, "clip_norm": clip_norm,
            "on_nonfinite": on_nonfinite, "track_norm": track_norm, "ema": ema,
            "zero_grads": zero_grads, "maximize": maximize, "rows": rows, "threads": threads,
        }  # fmt: skip
        self._make(rule, params, hypers, options)

    def _make(
        self, rule: Any, params: Any, hypers: dict[str, Hyper], options: dict[str, Any]
    ) -> None:
        before = set(vars(self))
        self._rule, self._options = rule, options
        formula = formula_of(rule)
        if (ema := options["ema"]) is not None:
            formula, hypers = with_average(formula), {**hypers, "ema": ema}
        for name, allowed in CHOICES.items():
            choice(name, options[name], allowed)
        self._clip = limit(options["clip_norm"])
        self._on_nonfinite = mode = options["on_nonfinite"]
        self._look, self._tally = j.GUARD * (mode == "guard"), options["track_norm"]
        self._sign = -1.0 if options["maximize"] else 1.0
        self._threads = cpus.taken(options["threads"])
        self._formula = formula
        tensors, groups, self._form = collect(params)
        for k, group in enumerate(groups):
            members = [tensor for tensor in tensors if tensor.group == k]
            group["params"] = FixedList([tensor.given for tensor in members], MEMBERS)
            group["names"] = FixedList([tensor.key for tensor in members], MEMBERS)
        self._settings = Settings(formula.name, formula.hypers, hypers, groups)
        parts, table = hoist(formula), self._settings.table
        seed, exact = seeded(options["seed"]), options["rows"] == "exact"
        self._numbers = numbers(formula, tensors, table, len(parts.constants), seed)
        self._first = first = FirstSteps(parts.first is not None, exact, self._numbers)
        self._store = Store(
            formula, tensors, self._numbers, first, options["state"], options["master"]
        )
        arrays, codecs = self._store.arrays, self._store.codecs
        self._settings.limit(Limits(formula, self._store.computes(len(groups))))
        self._zero_grads = zero = options["zero_grads"]
        planner = Planner(formula, tensors, arrays, codecs, self._numbers, zero, self._tally, first)
        self._binder, self._sparse = Binder(tensors, planner), Sparse(planner, exact)
        self._tensors, self._keys = tensors, [tensor.key for tensor in tensors]
        self._peers: Peers | None = None
        self._size = sum(tensor.given.size for tensor in tensors)
        self._packed = [tensor for tensor in tensors if tensor.packed]
        self._steps = self._numbers.steps.data
        self._turn = Turn()
        self._ours = frozenset({*vars(self), "_ours"} - before)

    @property
    def formula(self) -> Formula:
        """The rule, as it was read."""
        return self._formula

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups: `params`, `names` and every hyper-parameter, which may be changed here."""
        return self._settings.groups

    @property
    def steps(self) -> int:
        """How many steps were done; schedules are called with this number plus one."""
        return self._steps[-1]

    @property
    def grad_norm(self) -> float:
        """Norm of all gradients of the last step before clipping; NaN if nothing asked for it."""
        return self._turn.grad_norm

    @grad_norm.setter
    def grad_norm(self, value: float) -> None:
        self._turn.grad_norm = value

    @property
    def skipped(self) -> int:
        """How many steps were skipped; it may be set."""
        return self._turn.skipped

    @skipped.setter
    def skipped(self, value: int) -> None:
        self._turn.skipped = value

    @property
    def state(self) -> dict[Key, dict[str, Any]]:
        """Each parameter's live state arrays, scalar states and `step`, by name or index.

        Any thread may look; while another one is inside `step`, at whatever is there by then.
        """
        if self._formula.starts:
            self._turn.look(self._store.show_all)
        view = self._store.live()
        return FixedDict({key: FixedDict(entry, LOOK) for key, entry in view.items()}, LOOK)

    @property
    def storage(self) -> dict[Key, dict[str, str]]:
        """The storage format of every state of every parameter."""
        formats = self._store.formats
        return {key: dict(formats[k]) for k, key in enumerate(self._keys)}

    @reading
    def values(self, key: Key) -> dict[str, NDArray[Any]]:
        """The states of parameter `key` as numbers: copies, decoded where they are codes."""
        if key not in self._keys:
            raise ValueError(f"no parameter {key!r}; there are {self._keys}.")
        index = self._keys.index(key)
        return {state: self._store.values(index, state) for state in self.formula.states}

    def settings(self, group: int = 0) -> dict[str, float]:
        """The hyper-parameters that the last call of `step` used, schedules evaluated."""
        return self._settings.now(group)

    def step(self, grads: Any, *, clip_norm: float | None = None, loss_scale: float = 1.0) -> bool:
        """Update every parameter that has a gradient; True, or False if the step was skipped.

        `grads` has the form of the parameters (array, list, dict, list of these for groups), any
        mix of float64, float32, bfloat16 and float16; a `None` leaves its parameter alone, a `Rows`
        names the rows that have one. `clip_norm` replaces the optimizer's own limit for this step;
        gradients are divided by `loss_scale` first. Afterwards `grad_norm` holds the norm of all
        gradients before clipping where that was asked for: by a limit, by `track_norm`, or by
        reading first.

        Raises TypeError or ValueError with nothing changed, and `NonFiniteError` for a gradient
        that is not finite, or would not be in the dtype of the arithmetic. With "guard" the step is
        done but for the blocks that hold one, see `NonFiniteError.left`; the counts of a tensor,
        and of the optimizer, go on if anything of it moved. With `clip_norm`, with "raise" and
        "skip", and where a rule sets something up at a first step, all gradients are read first and
        nothing is changed. What a signal handler raises comes before anything is changed or when
        the step is whole.
        """
        turn, me = self._turn, get_ident()
        while turn.owner:
            turn.meet()
        try:
            turn.owner = me
            one = self._form is np.ndarray
            values = (grads,) if one else flatten(grads, self._form, self._keys)
            bound = self._binder.bind(values)
            self._settings.refresh(self._steps[-1] + 1)
            clip = self._clip if clip_norm is None else limit(clip_norm)
            scale = self._sign / divisor(loss_scale)
            factor = run.Factor(scale, clip, self._checks(bound), self._look)
            threads = self._threads if self._work(bound) >= run.PARALLEL else 1
            simple = len(bound.dense) == 1 and not (bound.rows or bound.copies or self._packed)
            plain = simple and not (self._tally or self._sparse.tensors or self._peers)
            if plain and threads == 1:
                batch = bound.dense[0]
                batch.arm(scale, clip, 0 if factor.reads_first else self._look)
                status = batch.run(batch.at, run.ALL if factor.reads_first else run.UPDATE)
                if status != j.NOT_FINITE:
                    turn.grad_norm = batch.norm if factor.reads_first else math.nan
                    if status == j.SOME_LEFT:
                        self._report([batch], values, bound, scale)
                    return True
            return self._long_step(values, bound, factor, threads)
        finally:
            turn.owner = 0

    @alone
    def sync(self, rows: Mapping[Key, Any] | None = None) -> None:
        """Bring exact rows up to date: all of them, or `rows[name]` (row numbers) of each name.

        Call it before reading parameters that were stepped with `rows="exact"`, or with the rows
        that the next gradient will be computed at, so that it is computed where a dense optimizer
        would stand. Without exact rows it does nothing. Raises ValueError or TypeError for a name
        or a row that does not exist.
        """
        if not isinstance(rows, Mapping | None):
            raise TypeError(f"rows={rows!r} must be a dict of row numbers by name, or None.")
        wanted = {}
        for key, numbered in (rows or {}).items():
            if key not in self._keys:
                raise ValueError(f"no parameter {key!r}; there are {self._keys}.")
            count = len(self._tensors[self._keys.index(key)].given)
            wanted[key] = np.unique(row_numbers(numbered, count, f"rows of {key!r}"))
        if rows is None:
            self._level()
        for index in self._sparse.tensors:
            if (key := self._keys[index]) in wanted:
                self._catch_up(index, self._sparse.behind(index, wanted[key]), self._threads)

    @property
    def _waiting(self) -> bool:
        """Whether rows may have missed steps."""
        return bool(self._sparse.tensors)

    @reading
    def state_dict(self, *, copy: bool = True) -> dict[str, Any]:
        """Everything needed to go on bit for bit, as plain dicts of arrays, numbers and texts.

        The arrays are the state's own memory with `copy=False`. Schedules
        are saved as their text, other functions as their name and their values at some steps, for
        which they are called.
        """
        self._level()
        return {
            "format": FORMAT,
            "rule": self.formula.name,
            "steps": self.steps,
            "seed": int(self._numbers.seed[0]),
            "state": self._store.copy() if copy else self._store.view(),
            "param_groups": [
                described(self._settings, group, self.steps) for group in self.param_groups
            ],
        }

    @alone
    def load_state_dict(self, saved: Mapping[str, Any], *, strict: bool = True) -> None:
        """Go on from `saved`: all of it, or with an error nothing.

        Parameters are matched by name (by index where they have none), groups by their parameters;
        arrays must have the shape and dtype they have here, schedules the text (`Schedule`) or the
        name and the values at some steps. `strict=False` takes over what both have. Parameters
        themselves are not part of the state: restore them beside it. Raises TypeError or ValueError
        that names what does not fit, with nothing changed.
        """
        choice("strict", strict, (True, False))
        found = unpacked(saved, self.formula.name, strict)
        actions = regrouping(self._settings, found, strict)
        taking = self._store.taking(found.state, strict)
        if not (actions or taking):
            raise ValueError(
                f"the saved state has nothing of {self._keys}; it has {list(found.state)}."
            )
        for index, taken in taking.items():
            # The saved state is up to date; what its rows missed here is no longer theirs.
            actions += [*self._sparse.forgetting(index), *taken]
        actions.append(partial(self._numbers.steps.__setitem__, -1, found.steps))
        if found.seed is not None:
            actions.append(partial(self._numbers.seed.__setitem__, 0, found.seed))
        straight(actions)

    def __repr__(self) -> str:
        """The rule, the size, the settings of the next step, and how many threads it takes."""
        shown = ", ".join(f"{k}={v:g}" for k, v in self.settings().items())
        about = f"{self._size} elements, {shown}, threads={self._threads.shown}"
        return f"<{type(self).__name__} {self.formula.name}: {about}>"
