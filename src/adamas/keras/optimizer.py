"""`adamas.keras.Optimizer`: a real optimizer of Keras whose step is a formula.

Keras counts, clips, accumulates, averages and scales; the formula does the rest, decay included.
What is kept is float32 beside parameters of fewer bits, and bfloat16 is rounded to at random.

Keras has no public place for some of it. What is called or overridden here, in `averages` and in
`saving` besides its public names is, of Keras 3.15, `_apply_weight_decay`,
`_backend_apply_gradients`, `_get_current_learning_rate`, `_get_variable_index`,
`_model_variables_moving_average`, `_overwrite_model_variables_with_average_value`,
`_overwrite_variable_with_gradient`, `_trainable_variables`,
`_update_model_variables_moving_average` and `_var_key`.
"""

import re
from typing import Any, ClassVar

import keras
import numpy as np

from adamas.homes.arguments import checked, patterns, seed, storage, truth
from adamas.homes.keras import COMMON, MORE
from adamas.homes.keras_paths import joined, path_of
from adamas.homes.signature import Signature
from adamas.keras.averages import Averaged
from adamas.keras.files import Filed
from adamas.keras.rates import rate_of
from adamas.keras.rounding import rounded
from adamas.keras.slots import FEW, STEPS, Slot, Slots
from adamas.keras.steps import native
from adamas.kernel.formula import Formula


class Optimizer(Averaged, Filed, keras.optimizers.Optimizer):
    """An optimizer of Keras by one rule; its classes take what Keras' own of that name take.

    `state` is "float32" or "bfloat16", for all states or by name. Raises TypeError or ValueError
    that names the argument, its value and the limit.
    """

    signature: ClassVar[Signature]

    def __init__(self, **given: Any) -> None:
        signature = self.signature
        options = {**signature.defaults, **{k: given[k] for k in signature.defaults if k in given}}
        options = {k: checked(signature, k, value) for k, value in options.items()}
        more = {**MORE, **{k: given[k] for k in MORE if k in given}}
        common = {k: given[k] for k in COMMON if k in given}
        # Before Keras has begun there are no attributes.
        super().__init__(learning_rate=rate_of(options.pop("learning_rate")), **common)
        for name, value in options.items():
            setattr(self, name, value)
        self.seed, self.strict = seed(more["seed"]), truth(signature, "strict", more["strict"])
        excluded = patterns(signature, "exclude_from_weight_decay", more)
        self._slots = Slots(tuple(options), excluded)
        self.state = storage(more["state"], self._formula())

    def _formula(self) -> Formula:
        """The formula that the options choose now."""
        options = {name: getattr(self, name) for name in self._slots.names}
        return self._slots.formula(self.signature.choose(options))

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an option, checked as in the constructor; raises ValueError for one that is late."""
        slots = self.__dict__.get("_slots")
        if slots is not None and name in slots.names:
            value = checked(self.signature, name, value)
            if self.built:
                options = {one: getattr(self, one) for one in slots.names} | {name: value}
                slots.check_made(slots.formula(self.signature.choose(options)), name, value)
        super().__setattr__(name, value)

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next step; takes a number, or a schedule of Keras or adamas."""
        return self._get_current_learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        keras.optimizers.Optimizer.learning_rate.fset(self, rate_of(value))

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Let these variables not decay, or those whose name or path a pattern is found in.

        Replaces what was said before, and is saved. Raises ValueError once the state is made, or
        for what is no pattern.
        """
        if self.built:
            raise ValueError(
                f"{self.name}: exclude_from_weight_decay comes too late, its state is made "
                "already. Call it before the first step, or name the variables in the constructor."
            )
        found = patterns(self.signature, "var_names", {"var_names": var_names})
        listed = [var_list] if hasattr(var_list, "shape") else var_list or ()
        self._slots.listed = {self._var_key(one): path_of(one) for one in listed}
        self._slots.patterns = found

    def add_variable(self, shape: Any, initializer: Any = "zeros", dtype: Any = None,
                     **given: Any) -> Any:  # fmt: skip
        """A variable of the optimizer; one beside a parameter of fewer bits is of float32."""
        dtype = None if dtype is None else keras.backend.standardize_dtype(dtype)
        kept = "float32" if dtype in FEW else dtype
        return super().add_variable(shape, initializer, dtype=self._slots.dtype or kept, **given)

    def build(self, variables: Any) -> None:
        """Make the state of these variables, and take over what was loaded before."""
        if self.built:
            return
        self.rehearse(variables)
        super().build(variables)
        formula = self._formula()
        self._slots.made = frozenset(formula.initial)
        self._slots.of += [self._slot(formula, variable) for variable in variables]
        self.take_over()

    def _slot(self, formula: Formula, variable: Any) -> Slot:
        if self._overwrite_variable_with_gradient(variable):
            return Slot()
        step = self._slots.step(formula, len(variable.shape))
        slot = Slot(decays=not self._excluded(variable))
        for name, called, shape, few in self._slots.wanted(step, tuple(variable.shape), self.state):
            start = keras.initializers.Constant(formula.initial[name])
            with self._slots.kept_as("bfloat16" if few else None):
                slot.state[name] = self._add(variable, called, start, shape)
        if step.asks_first:
            # Its first step may not be the first of all: Keras leaves out what has no gradient.
            slot.steps = self.add_variable((), "zeros", "int32", name=f"{joined(variable)}_{STEPS}")
        return slot

    def _add(self, variable: Any, name: str, start: Any, shape: tuple[int, ...]) -> Any:
        if shape == tuple(variable.shape):
            return self.add_variable_from_reference(variable, name, start)
        return self.add_variable(shape, start, variable.dtype, name=f"{joined(variable)}_{name}")

    def _excluded(self, variable: Any) -> bool:
        names = (variable.name, path_of(variable))
        found = any(re.search(p, name) for p in self._slots.patterns for name in names)
        return found or self._var_key(variable) in self._slots.listed

    def _apply_weight_decay(self, variables: Any) -> None:
        """The formula decays."""

    def _backend_apply_gradients(self, grads: Any, trainable_variables: Any) -> None:
        """Clip and accumulate gradients with every row, and in float32 at least."""
        super()._backend_apply_gradients(list(map(_whole, grads)), trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Step one variable."""
        own = self._get_variable_index(variable)
        slot, formula = self._slots.of[own], self._formula()
        step = self._slots.step(formula, len(variable.shape))
        dtype = keras.backend.standardize_dtype(variable.dtype)
        compute = "float64" if dtype == "float64" else "float32"
        with native.scope():
            numbers = self._numbers(formula, slot, learning_rate)
            p = native.array(variable, compute)
            g = native.array(gradient, compute)
            new_p, new = step(p, g, slot.state, numbers)
            kinds = {
                name: keras.backend.standardize_dtype(v.dtype) for name, v in slot.state.items()
            }
            made = {"p": new_p, **new}
            done = native.wide(self.iterations) + 1.0
            for place, name in enumerate(
                k for k, v in ({"p": dtype} | kinds).items() if v == FEW[0]
            ):
                made[name] = rounded(made[name], self.seed, own, done, place)
            made = {k: native.array(x, ({"p": dtype} | kinds)[k], p) for k, x in made.items()}
        self.assign(variable, made.pop("p"))
        for name, value in made.items():
            self.assign(slot.state[name], value)
        if slot.steps is not None:
            self.assign_add(slot.steps, 1)

    def _numbers(self, formula: Formula, slot: Slot, learning_rate: Any) -> dict[str, Any]:
        """The hyper-parameters and t of this step, in float64."""
        sources = self.signature.sources
        places = {k: sources.get(k, (k, None))[0] for k in formula.hypers if k != "lr"}
        numbers: dict[str, Any] = {
            k: np.float64(getattr(self, v) or 0.0) for k, v in places.items()
        }
        if not slot.decays:
            numbers["weight_decay"] = np.float64(0.0)
        done = self.iterations if slot.steps is None else slot.steps
        return {**numbers, "lr": native.wide(learning_rate), "t": native.wide(done) + 1.0}

    def get_config(self) -> dict[str, Any]:
        """Everything that the constructor takes."""
        config = dict(super().get_config())
        if "weight_decay" not in self._slots.names:
            del config["weight_decay"]
        own = {name: getattr(self, name) for name in self._slots.names}
        more = {"state": self.state, "seed": self.seed, "strict": self.strict}
        return {**config, **own, **more, "exclude_from_weight_decay": self._slots.exclusions()}


def _whole(gradient: Any) -> Any:
    dtype = keras.backend.standardize_dtype(gradient.dtype)
    return native.array(gradient, "float32" if dtype in FEW else dtype, gradient)
