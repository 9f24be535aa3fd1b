"""The optimizer's state: named arrays per tensor, in memory and as a plain dict.

Every array has exactly the dtype that was asked for, and the shape of its parameter, but for codes
of four bits and the scales of blocks, which are flat, in the memory order that stands beside them.
Loading checks everything before it changes anything.
"""

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any

import numpy as np

from adamas.codecs import BLOCK
from adamas.engine import codes, loading, starts
from adamas.engine.batch import TensorNumbers
from adamas.engine.first import STEPPED, WAITING, FirstSteps, check
from adamas.engine.grid import Order
from adamas.engine.mapped import assignments
from adamas.engine.orders import order_of, ordered
from adamas.engine.storage import Spec, Storage
from adamas.engine.tensors import Array, Key, Maker, Tensor, nothing, zeros
from adamas.engine.threads import Action, assigning
from adamas.kernel.formula import Formula
from adamas.kernel.layout import MEMORY_ORDER, columns
from adamas.kernel.observing import NOTED
from adamas.kernel.stages import forms


class Store:
    """The state arrays of one optimizer; `arrays[k]` belongs to tensor k, `codecs[k]` decodes it.

    With `make` at `nothing`, somebody else gives the arrays their memory, and calls `begin`.
    Raises what `Storage` raises.
    """

    def __init__(
        self,
        formula: Formula,
        tensors: Sequence[Tensor],
        numbers: TensorNumbers,
        first: FirstSteps,
        state: Spec,
        master: int | None,
        make: Maker = zeros,
    ) -> None:
        self.formula, self.tensors, self.numbers = formula, tensors, numbers
        self.first = first
        matrices, vectors = forms(formula)
        self.formulas = [matrices if tensor.given.ndim > 1 else vectors for tensor in tensors]
        storages = {one: Storage(one, state, master) for one in dict.fromkeys((matrices, vectors))}
        chosen = [storages[one] for one in self.formulas]
        self.formats = [one.formats(tensor) for one, tensor in zip(chosen, tensors, strict=True)]
        every = zip(chosen, tensors, self.formats, strict=True)
        self.codecs = [one.codecs(tensor, formats) for one, tensor, formats in every]
        for k, one in enumerate(self.formulas):
            self.formats[k] |= dict.fromkeys((*one.rows, *one.columns), self.compute(k))
        self.arrays = [self._made(tensor, k, make) for k, tensor in enumerate(tensors)]
        # Whether all of it lies in memory, and may be written where nobody computes with it.
        self.near = make is not nothing
        if self.near:
            self.begin()

    def _made(self, tensor: Tensor, index: int, make: Maker) -> dict[str, Array]:
        made: dict[str, Array] = {}
        for name, codec in self.codecs[index].items():
            for column in columns(name, codec):
                if column.flat:
                    made[column.name] = make((tensor.grid.length(column),), column.dtype)
                elif column.name != "p":
                    made[column.name] = tensor.state_like(column.dtype, make)
        formula, dtype = self.formulas[index], self.compute(index)
        made |= {name: tensor.row_like(dtype, make) for name in formula.rows}
        made |= {name: tensor.column_like(dtype, make) for name in formula.columns}
        return made

    def begin(self) -> None:
        """Write what states are before the first step into their arrays, which are zeros."""
        for k, arrays in enumerate(self.arrays):
            for name, codec in self.codecs[k].items():
                for column in columns(name, codec):
                    if column.block:
                        arrays[column.name][...] = codes.lowest(codec)
                if initial := self.formula.initial.get(name):
                    for _, piece, own in self._pieces(k):
                        values = np.full(piece.given.size, initial)
                        starts.fill(self.codecs[k][name], name, piece, own, values)
            for name in (*self.formulas[k].rows, *self.formulas[k].columns):
                arrays[name][...] = self.formulas[k].initial[name]

    def states(self, index: int) -> tuple[str, ...]:
        """The states that tensor `index` has arrays of: for its elements, rows and columns."""
        formula = self.formulas[index]
        return (*formula.states, *formula.rows, *formula.columns)

    def fill(self, index: int, name: str, into: dict[str, Array], values: Array) -> None:
        """Encode flat `values`, in memory order, into the arrays of state `name`."""
        starts.fill(self.codecs[index][name], name, self.tensors[index], into, values)

    def _pieces(self, index: int) -> Iterator[tuple[slice, Tensor, dict[str, Array]]]:
        """Which rows of a tensor, as a tensor, and their arrays: some, where these lie in files."""
        tensor, arrays = self.tensors[index], self.arrays[index]
        rows = len(tensor.given) if tensor.given.ndim else 1
        if self.near or not tensor.given.ndim or not rows:
            yield slice(0, rows), tensor, arrays
            return
        width = max(1, tensor.given.size // rows)
        unit = BLOCK // math.gcd(BLOCK, width)
        step = max(unit, starts.PIECE // width // unit * unit)
        for begin in range(0, rows, step):
            some = slice(begin, begin + step)
            yield some, *starts.cut(tensor, self.codecs[index], arrays, some)

    def values(self, index: int, name: str) -> Array:
        """The numbers of state `name` as an array in the parameter's shape, decoded if need be."""
        codec, arrays = self.codecs[index].get(name), self.arrays[index]
        self.show(index)
        if codec is None or codec.decode is None:
            return arrays[name].copy("K")
        return codes.decoded(codec, arrays, name, self.tensors[index].lay)

    def at_floor(self, index: int) -> dict[str, float]:
        """Of each state in codes of blocks the share of those that are the lowest."""
        tensor, arrays = self.tensors[index], self.arrays[index]
        return {
            name: codes.at_floor(codec, arrays[name], tensor.grid)
            for name, codec in self.codecs[index].items()
            if codec.low
        }

    def show(self, index: int) -> None:
        """Let what was never stepped read as what its first step begins from."""
        tensor, known = self.tensors[index], self.formulas[index].starts
        rows = len(tensor.given) if tensor.given.ndim else 1
        chosen = self.first.unstepped(index, rows) if known else None
        if chosen is None:
            return
        codecs = self.codecs[index]
        names, group = self.formula.hypers, self.numbers.groups[index]
        hypers = dict(zip(names, self.numbers.hypers[group].tolist(), strict=True))
        for some, piece, arrays in self._pieces(index):
            if not chosen[some].any():
                continue
            p = starts.numbers_of(piece, codecs["p"], arrays)
            for name, start in known.items():
                values, own = starts.starting(start, p, hypers), (codecs[name], name, piece, arrays)
                if chosen[some].all():
                    starts.fill(*own, values)
                else:
                    starts.fill_rows(*own, chosen[some], values)

    def show_all(self) -> None:
        """Do the same for every tensor; nobody else may be inside a step."""
        for k in range(len(self.tensors)):
            self.show(k)

    def view(self) -> dict[Key, dict[str, Any]]:
        """What is `live`, after `show_all`."""
        self.show_all()
        return self.live()

    def live(self) -> dict[Key, dict[str, Any]]:
        """Each tensor's arrays, scalar states and step count; which rows were stepped if some."""
        stepped = self.first.stepped
        return {
            tensor.key: {
                **self.arrays[k],
                **dict(
                    zip(self.formulas[k].numbers, self.numbers.scalars[k].tolist(), strict=False)
                ),
                "step": int(self.numbers.steps[k]),
                **({"rounding": int(self.numbers.keys[k])} if self.rounds(k) else {}),
                **self._axes(k),
                **({STEPPED: stepped[k]} if k in stepped else {}),
            }
            for k, tensor in enumerate(self.tensors)
        }

    def _axes(self, index: int) -> dict[str, int]:
        """The memory order, where what is kept means nothing without it."""
        tensor = self.tensors[index]
        known = ordered(tensor, self.codecs[index])
        return {MEMORY_ORDER: tensor.lay.number} if known else {}

    def computes(self, groups: int) -> list[set[str]]:
        """The dtypes that the members of each group are stepped in; see `Layout.compute`."""
        found: list[set[str]] = [set() for _ in range(groups)]
        for index, tensor in enumerate(self.tensors):
            found[tensor.group].add(self.compute(index))
        return found

    def compute(self, index: int) -> str:
        """The dtype that tensor `index` is stepped in."""
        wide = any(codec.bits == 64 for codec in self.codecs[index].values())
        return "float64" if wide else "float32"

    def share(self, active: Array | None = None) -> None:
        """Let tensors that had no gradient in a step have what is one number for all tensors.

        Without `active` those that had none so far: they may be new beside a saved state. It may
        depend on the group's hyper-parameters: of their own group, if any of it moved.
        """
        active = self.numbers.steps[:-1] if active is None else active
        numbers, moved = self.numbers, np.flatnonzero(active)
        for k in np.flatnonzero(active == 0) if len(moved) else ():
            alike = moved[numbers.groups[moved] == numbers.groups[k]]
            source = alike[0] if len(alike) else moved[0]
            for name in self.formula.shared:
                place, other = (self.formulas[i].scalars.index(name) for i in (k, source))
                numbers.scalars[k, place] = numbers.scalars[source, other]

    def noted(self, index: int) -> dict[str, int]:
        """Where among the numbers of tensor `index` stands what is noted of its last step."""
        formula = self.formulas[index]
        places = range(len(formula.numbers), len(formula.scalars))
        return dict(zip(NOTED, places, strict=False))

    def rounds(self, index: int) -> bool:
        """Whether random numbers round or make a tensor's values; then its key is state too."""
        drawn = bool(self.formula.draws)
        return drawn or any(codec.encode for codec in self.codecs[index].values())

    def copy(self) -> dict[Key, dict[str, Any]]:
        """The same with arrays of its own."""
        return {
            key: {
                name: value.copy("K") if isinstance(value, np.ndarray) else value
                for name, value in entry.items()
            }
            for key, entry in self.view().items()
        }

    def named_formats(self) -> dict[Key, dict[str, str]]:
        """The storage format of every state of every tensor."""
        return {tensor.key: dict(self.formats[k]) for k, tensor in enumerate(self.tensors)}

    def owners(self) -> set[int]:
        """Who owns the memory of the state."""
        return {_owner(array) for arrays in self.arrays for array in arrays.values()}

    def taking(self, saved: Mapping[Key, Any], owners: Set[int]) -> dict[int, list[Action]]:
        """For each tensor that is in `saved` what to do to take its state over.

        What lies in the memory of `owners` is copied. Raises TypeError or ValueError that names
        what does not fit.
        """
        live = self.view()
        taking = {}
        for k, (key, entry) in enumerate(live.items()):
            if key in saved:
                given = saved[key]
                if not isinstance(given, Mapping):
                    raise TypeError(f"saved state of {key!r} is a dict, not {given!r}.")
                order = self._order(k, given)
                own = {STEPPED} if self.first.asked else set()
                found = loading.entry(key, entry, given, self._shapes(k, order), own)
                check(given.get(STEPPED), self.tensors[k])
                for name, value in found.items():
                    # Two states of this optimizer may have been given to each other.
                    if isinstance(value, np.ndarray) and _owner(value) in owners:
                        found[name] = value.copy("K")
                taking[k] = self._actions(k, found, order)
                taking[k] += self.first.putting(k, given.get(STEPPED), found["step"])
        return taking

    def numbering(self, saved: Mapping[Key, Any]) -> list[Action]:
        """What to do to take over the numbers alone, where the arrays of `saved` are there already.

        Raises TypeError or ValueError that names what does not fit.
        """
        actions = list[Action]()
        for k, (key, entry) in enumerate(self.live().items()):
            order = self._order(k, saved[key])
            if not order.same(self.tensors[k].lay):
                raise ValueError(f"saved state of {key!r} lies in another order of its axes.")
            found = loading.entry(
                key, entry, saved[key], self._shapes(k, order), {STEPPED, WAITING}
            )
            actions += self._numbering(k, found)
        return actions

    def _order(self, index: int, entry: Mapping[str, Any]) -> Order:
        """The memory order of a saved entry of tensor `index`."""
        lay = self.tensors[index].lay
        known = ordered(self.tensors[index], self.codecs[index])
        return order_of(entry, self.formulas[index].states, lay) if known else lay

    def _shapes(self, index: int, order: Order) -> dict[str, tuple[int, ...]]:
        """The shapes of the arrays of tensor `index`, were its memory in this order."""
        every, formula = self.codecs[index].items(), self.formulas[index]
        coded = {k: v for name, codec in every for k, v in codes.shapes(codec, name, order).items()}
        alone = {name: self.arrays[index][name].shape for name in (*formula.rows, *formula.columns)}
        return coded | alone

    def _actions(self, index: int, found: Mapping[str, Any], order: Order) -> list[Action]:
        """What takes over an entry in `order`; codes in blocks of another are encoded anew."""
        arrays, tensor = self.arrays[index], self.tensors[index]
        actions, same = [], order.same(tensor.lay)
        for name, codec in self.codecs[index].items():
            held = [c.name for c in columns(name, codec) if c.name in arrays]
            values = {key: found[key] for key in held}
            if codec.low and not same:
                decoded = codes.decoded(codec, values, name, order)
                values = {key: np.empty_like(arrays[key]) for key in held}
                self.fill(index, name, values, tensor.lay.dense(decoded).ravel())
            actions += [a for key in held for a in assignments(arrays[key], values[key])]
        formula = self.formulas[index]
        actions += [
            assigning(arrays[name], found[name]) for name in (*formula.rows, *formula.columns)
        ]
        return actions + self._numbering(index, found)

    def _numbering(self, index: int, found: Mapping[str, Any]) -> list[Action]:
        """What takes over the numbers of an entry."""
        formula, numbers, actions = self.formulas[index], self.numbers, list[Action]()
        for place, name in enumerate(formula.numbers):
            actions.append(partial(numbers.scalars.__setitem__, (index, place), found[name]))
        for place in self.noted(index).values():
            # Of the steps before nothing is known here.
            actions.append(partial(numbers.scalars.__setitem__, (index, place), np.nan))
        actions.append(partial(numbers.steps.__setitem__, index, found["step"]))
        if "rounding" in found:
            actions.append(partial(numbers.keys.__setitem__, index, found["rounding"]))
        return actions


def _owner(array: Array) -> int:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return id(array)
