"""CPU parameters are stepped in the compiled kernels, on their own memory."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from adamas.engine.bind import Binder
from adamas.engine.cpus import Threads
from adamas.engine.finite import NonFiniteError
from adamas.engine.first import check
from adamas.engine.observed import Record
from adamas.engine.orders import ordered
from adamas.engine.stepper import Stepper
from adamas.engine.tensors import overlap
from adamas.engine.threads import Action
from adamas.kernel.formula import Formula
from adamas.kernel.layout import MEMORY_ORDER, SCALE, Column, columns
from adamas.torch.binding import TensorBinder
from adamas.torch.cuts import check_dense, part_of
from adamas.torch.engines import Live
from adamas.torch.filling import Filling, decoded
from adamas.torch.products import parts_of, products
from adamas.torch.ranks import Ranks
from adamas.torch.shards import (
    by_rows,
    dressed,
    dressed_rows,
    first_block,
    plain,
    sharded,
    undressed,
)
from adamas.torch.states import (
    BEFORE,
    ROUNDING,
    Names,
    before,
    counted,
    scalars_of,
    steps_of,
)  # fmt: skip
from adamas.torch.views import Gradients, saved_array, tensor_of, writable

# An array in the parameter's shape.
PLAIN = Column("", "float32", 32)


class KernelEngine:
    """Steps CPU parameters in the engine's kernels, on their own memory.

    `numbers` are the hyper-parameters of every group; `entries` hold the state so far, which is
    shared unless `copy`; `among` are the parameters of all rules, where there are several. Raises
    what the engine raises for a parameter it cannot update.
    """

    def __init__(
        self,
        formula: Formula,
        names: Names,
        live: Sequence[Live],
        numbers: Sequence[Mapping[str, float]],
        options: Mapping[str, Any],
        entries: Mapping[torch.Tensor, Mapping[str, Any]],
        share: bool = True,
        among: Sequence[torch.Tensor] = (),
    ) -> None:
        self.live, self.names = live, names
        groups: list[dict[str, Any]] = [{"params": {}, **given} for given in numbers]
        for one in live:
            groups[one.group]["params"][one.key] = writable(one.parameter, one.key)
        self.parameters = [one.parameter for one in live]
        peers = Ranks(self.parameters, among) or None
        self.stepper = stepper = Stepper(
            formula,
            groups,
            {},
            options,
            peers=peers,
            binding=self._binding,
            products=products(options["matmul"]),
        )
        # The tensors of the state, by the engine's names; live ones stay the objects they are.
        self._tensors: list[dict[str, torch.Tensor]] = []
        self._before = [before(entries.get(one.parameter, {})) for one in live]
        for k, one in enumerate(self.live):
            if formula.draws and sharded(one.parameter):
                raise ValueError(
                    f"{one.key}: {formula.name} draws random numbers, which parts of a parameter "
                    "cannot share yet; keep it whole on each rank."
                )
            tensor = stepper.tensors[k]
            tensor.first_block = first_block(one.parameter, tensor.rowwise)
            tensor.part = part_of(one.parameter, one.key, stepper.formula)
            tensor.split = parts_of(options["split"], one.key, one.parameter.shape)
            self._tensors.append(self._take(k, one, entries.get(one.parameter, {}), share))
        # Who had no gradient so far has no entry, and what is one number for all is his too.
        stepper.store.share()
        self._part()
        for k, one in enumerate(self.live):
            self._complete(k, plain(one.parameter))
        # One tensor behind all step counts: its version tells when anybody has set one.
        self._steps = torch.from_numpy(stepper.numbers.steps)
        self._last_version = self._steps._version
        self._wrapped = any(map(sharded, self.parameters))
        self._shown = self._partial()
        self.published: Action = dict

    def _binding(self, binder: Binder) -> TensorBinder:
        self._binder = TensorBinder(list(map(plain, self.parameters)), binder)
        return self._binder

    def _take(
        self, k: int, one: Live, entry: Mapping[str, Any], share: bool
    ) -> dict[str, torch.Tensor]:
        stepper = self.stepper
        entry = undressed(self._without_stand_ins(entry), one.parameter)
        kept = Filling(stepper, k, self.names, plain(one.parameter), entry, share).take()
        stepper.numbers.steps[k] = steps = steps_of(entry)
        stepped = entry.get("stepped")
        mask = saved_array(stepped, "the saved 'stepped'") if stepped is not None else None
        check(mask, stepper.tensors[k])
        stepper.store.first.put(k, mask)
        if not steps:
            # What is set up from the parameter reads as that in rows that are never named.
            stepper.store.show(k)
        # What a tensor's random numbers depend on must not change with the tensors beside it.
        stepper.numbers.keys[k] = counted("a saved rounding", entry.get(ROUNDING, one.rounding))
        scalars = stepper.store.formulas[k].numbers
        found = scalars_of(entry, scalars)
        for s, name in enumerate(scalars):
            stepper.numbers.scalars[k, s] = found.get(name, stepper.numbers.scalars[k, s])
        return kept

    def out_of_a_file(self, entries: Mapping[Any, Mapping[str, Any]]) -> list[Action] | None:
        """What puts entries, whose arrays lie in a file, into the state that there is.

        None where it is kept otherwise, or not begun; raises what cannot be read at all.
        """
        stepper, actions = self.stepper, list[Action]()
        numbers, store = stepper.numbers, stepper.store
        if self._wrapped or any(self._before) or store.first.stepped or stepper.behind:
            return None
        for k, one in enumerate(self.live):
            entry = self._without_stand_ins(entries[one.parameter])
            filling = Filling(stepper, k, self.names, one.parameter, entry, False)
            copies, steps = filling.out_of_a_file(), steps_of(entry)
            scalars = scalars_of(entry, store.formulas[k].numbers)
            lacking = scalars.keys() != set(store.formulas[k].numbers)
            if copies is None or not steps or lacking or {"stepped", BEFORE} & entry.keys():
                return None
            actions += copies
            places = store.formulas[k].numbers
            values = {s: scalars[name] for s, name in enumerate(places)}
            values |= dict.fromkeys(store.noted(k).values(), math.nan)
            for place, value in values.items():
                actions.append(partial(numbers.scalars.__setitem__, (k, place), value))
            actions.append(partial(numbers.steps.__setitem__, k, steps))
            key = counted("a saved rounding", entry.get(ROUNDING, one.rounding))
            actions.append(partial(numbers.keys.__setitem__, k, key))
        # As an engine has them that was made anew.
        news = {"skipped": 0, "grad_norm": math.nan}
        return [*actions, *(partial(setattr, stepper.turn, *pair) for pair in news.items())]

    def _stand_ins(self, coded: Iterable[str]) -> dict[str, torch.Tensor]:
        """Empty tensors under the names that numbers of `coded` states will have in files."""
        keys = {self.names.torch[name] for name in coded} - set(coded)
        return {key: torch.empty(0) for key in sorted(keys)}

    def _without_stand_ins(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        coded = [name for name in self.names.torch if name + SCALE in entry]
        ours = {k for k in self._stand_ins(coded) if torch.is_tensor(entry.get(k))}
        return {key: v for key, v in entry.items() if key not in ours or v.numel()}

    def _part(self) -> None:
        """Copy state that lies in the memory of a parameter, or of other state."""
        stepper = self.stepper
        while any(self._tensors):
            places = {("p", k): tensor.given for k, tensor in enumerate(stepper.tensors)}
            for k, kept in enumerate(self._tensors):
                places |= {(name, k): stepper.store.arrays[k][name] for name in kept}
            listed = list(places)
            both = overlap(list(enumerate(places.values()))) or ()
            shared = [listed[int(place)] for place in both if listed[int(place)][0] != "p"]
            if not shared:
                return
            name, k = shared[-1]
            stepper.store.arrays[k][name] = places[name, k].copy("K")
            del self._tensors[k][name]

    def _complete(self, k: int, parameter: torch.Tensor) -> None:
        """Make a tensor of every state array that is not the memory of one."""
        kept, arrays = self._tensors[k], self.stepper.store.arrays[k]
        for name in arrays.keys() - kept.keys():
            kept[name] = tensor_of(arrays[name], parameter)

    @property
    def threads(self) -> Threads:
        """How many threads a long step takes."""
        return self.stepper.threads

    @property
    def rounds(self) -> bool:
        """Whether anything is rounded at random."""
        return any(map(self.stepper.store.rounds, range(len(self.live))))

    def entry(self, k: int) -> dict[str, Any]:
        """The live state of parameter k as tensors over the kernel's memory, `step` first.

        Of a DTensor they are DTensors.
        """
        stepper, arrays = self.stepper, self.stepper.store.arrays[k]
        made: dict[str, Any] = {"step": self._steps[k]}
        if self._before[k]:
            made[BEFORE] = torch.tensor(self._before[k])
        known, tensors = self._columns(k), self._tensors[k]
        for name in (*known, *stepper.store.formulas[k].rows, *stepper.store.formulas[k].columns):
            column = known.get(name, PLAIN)
            made[self.names.of(name, arrays)] = self._dressed(k, name, tensors[name], column)
        for s, name in enumerate(stepper.store.formulas[k].numbers):
            made[name] = torch.from_numpy(stepper.numbers.scalars)[k, s]
        if stepper.store.rounds(k):
            made[ROUNDING] = torch.from_numpy(stepper.numbers.keys)[k]
        if k in stepper.store.first.stepped:
            made["stepped"] = torch.from_numpy(stepper.store.first.stepped[k])
        if ordered(tensor := stepper.tensors[k], stepper.store.codecs[k]):
            made[MEMORY_ORDER] = torch.tensor(tensor.lay.number)
        # A flattened checkpoint reads back those names only that are here.
        return made | self._stand_ins(self._cut(k))

    def news(self) -> dict[torch.Tensor, torch.Tensor | None]:
        """Which rows were stepped, of parameters where `published` has not heard of that tensor.

        None where all have been.
        """
        found: dict[torch.Tensor, torch.Tensor | None] = {}
        if self._shown or self.stepper.store.first.stepped:
            now = self._partial()
            for k in {k for k, _ in self._shown.items() ^ now.items()}:
                mask = self.stepper.store.first.stepped.get(k)
                found[self.parameters[k]] = None if mask is None else torch.from_numpy(mask)
            self.published = partial(vars(self).update, {"_shown": now})
        return found

    def _partial(self) -> dict[int, int]:
        return {k: id(mask) for k, mask in self.stepper.store.first.stepped.items()}

    def _columns(self, k: int) -> dict[str, Column]:
        """What each of the state arrays of tensor k is."""
        arrays, codecs = self.stepper.store.arrays[k], self.stepper.store.codecs[k]
        made = [column for name, codec in codecs.items() for column in columns(name, codec)]
        return {column.name: column for column in made if column.name in arrays}

    def _dressed(self, k: int, name: str, local: torch.Tensor, column: Column) -> torch.Tensor:
        """The state `name` of a DTensor, an array of the form `column`, as one of the same memory.

        What columns have one number of is the same on all ranks, and stays a plain tensor.
        """
        parameter, formula = self.live[k].parameter, self.stepper.store.formulas[k]
        if name in formula.columns:
            return local
        if name in formula.rows:
            return dressed_rows(local, parameter)
        return dressed(local, parameter, column, self.stepper.tensors[k].rowwise)

    def saved(self, k: int) -> dict[str, Any]:
        """The state of parameter k as a file holds it; codes of blocks that shards cut are decoded.

        The number of ranks does not matter, so that another number of them can read it.
        """
        entry, coded = self.entry(k), self._cut(k)
        if not coded:
            return entry
        dropped = {*coded, MEMORY_ORDER}
        left = {key: v for key, v in entry.items() if key.partition(".")[0] not in dropped}
        numbers = self.decoded(k)
        return left | {self.names.torch[name]: numbers[self.names.torch[name]] for name in coded}

    def _cut(self, k: int) -> list[str]:
        """The states of a DTensor whose blocks are cut by its shards, and belong to one rank."""
        parameter = self.live[k].parameter
        if not sharded(parameter) or by_rows(parameter, self.stepper.tensors[k].rowwise):
            return []
        known = self._columns(k).items()
        return sorted({name.partition(".")[0] for name, column in known if column.flat})

    def decoded(self, k: int) -> dict[str, Any]:
        """The state of parameter k as numbers under torch's names, copied."""
        parameter = self.live[k].parameter
        found = decoded(self.stepper, k, plain(parameter))
        entry = {
            key: value
            for key, value in self.entry(k).items()
            if (value.ndim == 0 and key != MEMORY_ORDER) or key == "stepped"
        }
        return entry | {
            self.names.torch[name]: self._dressed(k, name, value, PLAIN)
            for name, value in found.items()
        }

    @property
    def grad_norm(self) -> float:
        """Norm of all gradients before clipping, or NaN."""
        return self.stepper.turn.grad_norm

    @property
    def skipped(self) -> int:
        """How many steps were left out."""
        return self.stepper.turn.skipped

    def record(self, k: int, rule: str) -> Record:
        """What is known of the last step of parameter k, by the rule of this name."""
        return self.stepper.record(k, self.live[k].parameter.shape, rule)

    def inherit(self, old: Any) -> None:
        """Go on where `old` stood: rows that wait for their missed steps, and counters."""
        if (old := _of_rule(old, self.names)) is None:
            return
        here = {id(one.parameter): k for k, one in enumerate(self.live)}
        there = {k: id(one.parameter) for k, one in enumerate(old.live)}
        places = {k: here[known] for k, known in there.items() if known in here}
        self.stepper.inherit(old.stepper, places)

    def step(
        self, tensors: list[torch.Tensor | None], clip: float | None, loss_scale: float
    ) -> bool:
        """One step with these gradients, in the order of `live`; False if it was skipped.

        Raises ValueError, with nothing changed, where somebody has set a step to what is none, and
        `NonFiniteError`, with the step done unless its `left` is 0.
        """
        given = self.given(tensors)
        try:
            done = self.stepper.step(given, clip, loss_scale)
        except NonFiniteError as error:
            if error.left:
                self.written(tensors)
            raise
        finally:
            self.release()
        if done:
            self.written(tensors)
        return done

    def given(self, tensors: list[torch.Tensor | None]) -> Gradients:
        """The gradients as the stepper takes them; raises ValueError for what it cannot step by."""
        if self._steps._version != self._last_version:
            for one, steps in zip(self.live, self._steps.tolist(), strict=False):
                counted(f"the step of {one.key!r}", steps)
            self._last_version = self._steps._version
        if self._wrapped:
            tensors = list(map(plain, tensors, self.parameters))
        if self.stepper.formula.over:
            check_dense(tensors, self.live, self.stepper.formula)
        return Gradients(tensors)

    def release(self) -> None:
        """Let go of the gradients of a step."""
        self._binder.release()

    def written(self, tensors: list[torch.Tensor | None]) -> None:
        """Let autograd see that memory it may have saved was written."""
        stepped = [p for p, g in zip(self.parameters, tensors, strict=True) if g is not None]
        torch.autograd.graph.increment_version(stepped)

    def set(self, group: int, numbers: Mapping[str, float]) -> None:
        """Change hyper-parameters of one group."""
        # They have been checked in torch's words.
        dict.update(self.stepper.settings.groups[group], numbers)

    @property
    def steps(self) -> int:
        """The largest of the parameters' step counts."""
        return int((self.stepper.numbers.steps[: len(self.live)] + self._before).max())

    @property
    def behind(self) -> bool:
        """Whether there may be rows that have missed steps."""
        return self.stepper.behind

    def sync(self) -> None:
        """Do the steps that rows have missed."""
        self.stepper.sync()


def _of_rule(engine: Any, names: Names) -> "KernelEngine | None":
    """The engine that is, or is part of, `engine` and steps by the rule whose states these are."""
    parts = getattr(engine, "parts", (engine,))
    kernels = (one for one in parts if isinstance(one, KernelEngine))
    return next((one for one in kernels if one.names is names), None)
