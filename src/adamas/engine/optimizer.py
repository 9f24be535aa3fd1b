"""The NumPy optimizer: arrays over time.

Everything about a rule is in its formula, everything about a step in its kernel; this class keeps
the caller's arrays, the state and the settings together, and checks what comes in.
"""

import os
import weakref
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.engine.fixed import FixedDict
from adamas.engine.gradients import flatten
from adamas.engine.loading import regrouping, unpacked
from adamas.engine.modes import Modes
from adamas.engine.observed import ADVICE, Observed
from adamas.engine.options import LOOK, Configured
from adamas.engine.routes import Route, Routes, route
from adamas.engine.routing import grouped
from adamas.engine.rows import row_numbers
from adamas.engine.settings import Hyper, choice
from adamas.engine.several import Several, names_rules
from adamas.engine.state import Store
from adamas.engine.stepper import Stepper
from adamas.engine.tensors import Key, Tensor, widened
from adamas.engine.threads import straight
from adamas.engine.turn import alone, reading
from adamas.engine.whole import counting, entries, everything, records, taking
from adamas.files import filed
from adamas.files.background import Saving
from adamas.files.checkpoint import Checkpoint
from adamas.files.reading import Named
from adamas.kernel.formula import Formula


class Optimizer(Modes, Configured):
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
    - `state_dir`: a directory to keep the state in, which is made, or found again and gone on with;
      see `adamas.open_params` for parameters that lie in a file, too. Steps read and write it in
      pieces, so that it may be larger than memory, and are whole or undone when the process dies.
      Its `state.safetensors` is a file as `save` writes them; settings of groups are those of the
      file, as with `load`. Raises OSError where there is no room, ValueError for a state that does
      not fit, BlockingIOError while another optimizer has the directory. Refused are schedule-free
      rules and parameters that do not lie in C order.
    - `master`: 8 or 16 correction bits beside every bfloat16 parameter; with 16 it is a whole
      float32, without any it is rounded at random.
    - `seed`: of all rounding at random; equal seeds give equal bits, for any number of threads.
    - `clip_norm`: largest Euclidean norm of all gradients together; longer ones are scaled down
      (Pascanu et al. 2013). Torch divides by norm + 1e-6, adamas by the norm.
    - `on_nonfinite`: what a step does about NaN and infinity in a gradient, or in what the rule
      makes of a large one. `"guard"` leaves every block of 128 elements that holds one exactly as
      it was, parameter and state, steps all others and then raises `NonFiniteError`; it costs next
      to nothing. A tensor that the rule sums over
      is left as a whole. `"raise"` and `"skip"` read all gradients first and change nothing at all,
      and so does `"guard"` for a rule with sums over all tensors; `"allow"` lets the arithmetic
      decide.
    - `track_norm`: sum the squares of all gradients up while stepping, for `grad_norm`.
    - `ema`: decay of an exponential moving average of the parameters, kept as state `average`.
    - `zero_grads`: set the gradients to zero in the same pass; the values of `Rows` stay.
    - `maximize`: go up instead of down.
    - `rows`: what `Rows` do to the rows that are not named: `"lazy"` nothing, `"exact"` what a
      dense step with zeros would have done, caught up when a row is next seen or at `sync`.
    - `threads`: how many, or None for the CPUs this process may use, and where a launcher says by
      LOCAL_WORLD_SIZE that several processes share the machine, for its share of them; `repr` says
      what was taken. The bits do not depend on it.
    - `routes`: rules by name, for a dict of names: `{"embed|bias": "adamw", "": dict(rule=..., lr=
      ...)}`. The first regular expression that is found in a name decides; a name in which none is
      found is an error.
    - `observe`: note what each step does to each tensor, for `observed`. The parameters get the
      same bits (with `clip_norm` the same but for last digits of the norm); the step reads its
      arrays once more, `"guard"` leaves whole tensors, and `Rows` are refused, as by a rule that
      sums over tensors.
    - further keywords: the rule's hyper-parameters, numbers or schedules (functions of the step).

    One thread at a time: calls that meet, and calls from inside a step, raise RuntimeError. Raises
    TypeError or ValueError that names the argument, and `FormulaError` for a rule that cannot be
    compiled.
    """

    def _make(
        self, rule: Any, params: Any, hypers: dict[str, Hyper], options: dict[str, Any]
    ) -> None:
        before = set(vars(self))
        self._rule, self._options = rule, options
        given, routes = params, options["routes"]
        params = params if routes is None else grouped(params, routes)
        kind = Several if names_rules(params) else Stepper
        self._stepper = made = kind(rule, params, hypers, options)
        self._form, self._keys = made.form if params is given else dict, made.keys
        self._settings, self._turn = made.settings, made.turn
        self._training, self._trained = True, {}
        self._disk = None
        if (place := options["state_dir"]) is not None:
            # Few have one; its threads take 5 ms to import.
            from adamas.disk.disk import Disk

            self._disk = Disk(place, made, type(self).__name__)
            # Another optimizer may have the directory as soon as this one is gone.
            weakref.finalize(self, self._disk.close)
        self._ours = frozenset({*vars(self), "_ours"} - before)

    @property
    def formula(self) -> Formula:
        """The rule, as it was read; where groups name theirs, that of all other groups."""
        return self._stepper.formula

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups: `params`, `names` and every hyper-parameter, which may be changed here.

        Where some group names its rule, each has the name of its own under `rule`.
        """
        return self._settings.groups

    @property
    def steps(self) -> int:
        """How many steps were done; schedules are called with this number plus one."""
        return self._stepper.parts[0].steps

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
        for part in self._stepper.parts:
            if part.formula.starts:
                self._turn.look(part.store.show_all)
        view = entries(self._stepper, Store.live)
        return FixedDict({key: FixedDict(entry, LOOK) for key, entry in view.items()}, LOOK)

    @property
    def storage(self) -> dict[Key, dict[str, str]]:
        """The storage format of every state of every parameter."""
        return entries(self._stepper, Store.named_formats)

    def values(self, key: Key) -> dict[str, NDArray[Any]]:
        """The states of parameter `key` as numbers: copies, decoded where they are codes."""
        if key not in self._keys:
            raise ValueError(f"no parameter {key!r}; there are {self._keys}.")
        return self._stepper.values(self._keys.index(key))

    @property
    def routes(self) -> Routes:
        """By which rule each parameter is stepped, and how far at first; its text is a table.

        Computed from the settings of the next step and the parameters of now.
        """
        stepper, names = self._stepper, []
        for k, members in enumerate(stepper.members):
            formula = stepper.formula_of(k)
            hypers = self.settings(k)
            names += [partial(_route, formula, tensor, hypers) for tensor in members]
        return Routes(names)

    @property
    def observed(self) -> Observed:
        """What the last step did to each parameter, where `observe=True` asks for it.

        A dict for each, in the order of the parameters; printed, it is a table. Norm and RMS of
        `update` (new minus old parameter), `weight` (the old one) and `gradient` (as the rule saw
        it: scaled, clipped, negative for `maximize`), the ratios `update_to_weight` of norms and
        `update_to_lr` of the update's RMS, `rule`, `step`, `lr`, and under `at_floor` for each
        state in `"int8"` or `"int4"` the share of its codes that are the lowest of their block,
        counted now. A tensor that was not stepped keeps the numbers of its own last step; they are
        NaN before one, after loading and in a copy. Raises AttributeError without `observe=True`.
        """
        if not self._options["observe"]:
            raise AttributeError(ADVICE)
        return self._observed()

    @reading
    def _observed(self) -> Observed:
        return Observed(records(self._stepper))

    def settings(self, group: int = 0) -> dict[str, float]:
        """The hyper-parameters that the last call of `step` used, schedules evaluated."""
        return self._settings.now(group)

    def step(
        self,
        grads: Any,
        *,
        clip_norm: float | None = None,
        loss_scale: float = 1.0,
        h: Any = None,
    ) -> bool:
        """Update every parameter that has a gradient; True, or False if the step was skipped.

        `grads` has the form of the parameters (array, list, dict, list of these for groups), any
        mix of float64, float32, bfloat16 and float16; a `None` leaves its parameter alone, a `Rows`
        names the rows that have one. `clip_norm` replaces the optimizer's own limit for this step;
        gradients are divided by `loss_scale` first. `h` has the form of the gradients and goes with
        rules that read a second array, such as an estimate of the Hessian's diagonal; it is taken
        as it is. Afterwards `grad_norm` holds the norm of all
        gradients before clipping where that was asked for: by a limit, by `track_norm`, or by
        reading first.

        Raises TypeError or ValueError with nothing changed, and `NonFiniteError` for a gradient
        that is not finite, or would not be in the dtype of the arithmetic. With "guard" the step is
        done but for the blocks that hold one, or the whole tensors where the rule sums, see
        `NonFiniteError.left`; the counts of a tensor, and of the optimizer, go on if anything of it
        moved. With `clip_norm`, with "raise" and "skip", and where a rule sums over all tensors or
        sets something up at a first step, all gradients are read first and nothing is changed. What
        a signal handler raises comes before anything is changed or when the step is whole.
        """
        if not self._training:
            self._check_mode()
        values = (grads,) if self._form is np.ndarray else flatten(grads, self._form, self._keys)
        if h is None:
            return self._stepper.step(values, clip_norm, loss_scale)
        second = flatten(h, self._form, self._keys, "second arrays")
        return self._stepper.step(values, clip_norm, loss_scale, second)

    def sync(self, rows: Mapping[Key, Any] | None = None) -> None:
        """Bring exact rows up to date: all of them, or `rows[name]` (row numbers) of each name.

        Call it before reading parameters that were stepped with `rows="exact"`, or with the rows
        that the next gradient will be computed at, so that it is computed where a dense optimizer
        would stand. Without exact rows it does nothing. Raises ValueError or TypeError for a name
        or a row that does not exist.
        """
        if not isinstance(rows, Mapping | None):
            raise TypeError(f"rows={rows!r} must be a dict of row numbers by name, or None.")
        wanted: dict[int, NDArray[np.int64]] = {}
        for key, numbered in (rows or {}).items():
            if key not in self._keys:
                raise ValueError(f"no parameter {key!r}; there are {self._keys}.")
            index = self._keys.index(key)
            count = len(self._stepper.tensors[index].given)
            wanted[index] = np.unique(row_numbers(numbered, count, f"rows of {key!r}"))
        self._stepper.sync(None if rows is None else wanted)

    @reading
    def state_dict(self, *, copy: bool = True) -> dict[str, Any]:
        """Everything needed to go on bit for bit, as plain dicts of arrays, numbers and texts.

        The arrays are the state's own memory with `copy=False`. Schedules
        are saved as their text, other functions as their name and their values at some steps, for
        which they are called.
        """
        return self._saved(copy)

    def _saved(self, copy: bool) -> dict[str, Any]:
        self._stepper.catch_up()
        mode = {} if self._training else {"train_mode": False}
        return {**everything(self._stepper, Store.copy if copy else Store.view), **mode}

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
        self._take(saved, strict)

    @reading
    def save(
        self,
        path: str | os.PathLike[str],
        params: Mapping[Any, Any] | None = None,
        extra: Any = None,
        keep: int = 1,
        background: bool = False,
    ) -> Saving:
        """Write everything needed to go on bit for bit into a safetensors file; see `adamas.save`.

        No step of another thread may come between.
        """
        kind, saved = type(self).__name__, self._saved(False)
        stepper = self._stepper
        return filed.save(path, kind, stepper, saved, params, extra, keep, background)

    @alone
    def load(self, path: str | os.PathLike[str], strict: bool = True) -> Checkpoint:
        """Go on from a file of adamas or adamas.torch: all of it, or with an error nothing.

        Parameters are matched by name, whatever their order. Missing, unknown and misshapen ones
        are one error that lists them; `strict=False` takes over what fits, and the file that is
        returned lists the rest. It holds `extra` and `params`, too, which are not put anywhere.
        Raises OSError, and ValueError with the path for a file that is malformed, of another rule,
        or does not fit; nothing was changed then.
        """
        choice("strict", strict, (True, False))
        file, saved = filed.read(path, self, self._stepper, strict)
        with Named(file.path, brief=True):
            self._take(saved, strict)
        return file

    def _take(self, saved: Mapping[str, Any], strict: bool) -> None:
        stepper = self._stepper
        found = unpacked(saved, [part.formula.name for part in stepper.parts], strict)
        actions = regrouping(self._settings, found, strict)
        if self._disk:
            self._disk.check(found.state)
        taken = taking(stepper, found.state, strict)
        if not (actions or taken):
            raise ValueError(
                f"the saved state has nothing of {self._keys}; it has {list(found.state)}."
            )
        apply = self._disk.change if self._disk else straight
        apply([*actions, *taken, *counting(stepper, found.steps, found.seed)])
        self._training = bool(saved.get("train_mode", True))
        self._trained.clear()

    def __repr__(self) -> str:
        """The rule, the size, the settings of the next step, and how many threads it takes."""
        stepper = self._stepper
        rules = ", ".join(part.formula.name for part in stepper.parts)
        about = f"{stepper.size} elements, {stepper.shown()}, threads={stepper.threads.shown}"
        return f"<{type(self).__name__} {rules}: {about}>"


def _route(formula: Formula, tensor: Tensor, hypers: Mapping[str, float]) -> Route:
    """The route of one parameter."""
    p = widened(tensor.given) if tensor.form == "bfloat16" else tensor.given
    size = float(np.sqrt(np.mean(np.square(p, dtype=np.float64)))) if p.size else 0.0
    return route(formula, tensor.key, tensor.given.shape, hypers, size)
