"""A state in a file, as every optimizer of adamas has it: `save(path, state)`, `load(path, state)`.

Arrays are called by their paths, as `to_dict` calls them.
"""

import os
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from adamas.files.background import Saving
from adamas.files.checkpoint import Checkpoint, Key
from adamas.files.contents import Contents, described, write
from adamas.files.reading import Named
from adamas.files.tree import Leaf, Path, array_leaf
from adamas.homes import of_optax
from adamas.homes.convert import convert
from adamas.homes.filed_trees import records
from adamas.homes.writers import End, end_of
from adamas.jax.saved import from_dict, to_dict

HOMES = ("adamas.jax", "optax")


def save(
    path: str | os.PathLike[str],
    state: Any,
    params: Any = None,
    extra: Any = None,
    keep: int = 1,
    background: bool = False,
    *,
    tx: str | None = None,
) -> Saving:
    """Write an optax state, of whatever chain, into a safetensors file; see `adamas.save`.

    `params` is a pytree that is written beside it; both are written by path, as `to_dict` does.
    `tx` says what made the state, such as `"adamas.jax.adamw(1e-3)"`: then a file says its rule,
    and optimizers of other homes load it. Raises what `adamas.save` raises.
    """
    end = _end(tx)
    arrays = to_dict(state)
    saved = {"state": arrays, "records": records(state)}
    given: dict[str, Any] = {} if params is None else to_dict(params)
    shapes: dict[Key, tuple[int, ...]] = {name: np.shape(one) for name, one in given.items()}
    title = "" if tx is None or end is None else tx.removeprefix(f"{end.home.name}.")
    formulas = []
    if end is not None:
        formulas = [end.formula(end.rule(end.given))]
        with warnings.catch_warnings():
            # What is no part of the rule is saved all the same.
            warnings.simplefilter("ignore")
            shapes = of_optax.blank(_with(end, state)).shapes
    steps = max((_count(name, one) for name, one in arrays.items()), default=0)
    home = "optax" if end is None else end.home.name
    found = Contents(home, title, formulas, steps, 0, shapes, saved, _leaf)
    return write(path, found, given, extra, keep, background)


def load(
    path: str | os.PathLike[str], state: Any, params: Any = None, *, tx: str | None = None
) -> Any:
    """The state in a file, in the structure of `state`: `tx.init(params)`, or its `eval_shape`.

    With `params` a pair: the state, and the parameters of the file in the structure of `params`.
    By path, bit for bit; names that one of the two has alone, other shapes and dtypes are errors. A
    file of another optimizer of adamas, or of another chain, is converted: `tx` then says what
    `state` is of, such as `"adamas.jax.adamw(1e-3)"`. Raises OSError, and ValueError with the path.
    """
    end = _end(tx)
    file = Checkpoint(path, _array, through=True)
    with Named(file.path, brief=True):
        found = _state(file, state, end, tx)
        if params is None:
            return found
        return found, from_dict({str(k): one for k, one in file.params.items()}, params)


def _state(file: Checkpoint, state: Any, end: End | None, tx: str | None) -> Any:
    same = file.home in HOMES
    if same:
        saved = file.state().get("state")
        if not isinstance(saved, dict):
            raise ValueError("its state is none of a transformation")
        known = end is not None and file.rules and file.kind
        if not known or saved.keys() == to_dict(state).keys():
            if end is not None and file.rules:
                _check_rule(file, end)
            return _sharded(from_dict(saved, state), state)
    title = file.home if file.home == "adamas" else f"{file.home}.{file.kind}"
    if tx is None:
        raise ValueError(
            f'it is of {title}; say what the state is of: load(..., tx="adamas.jax.adamw(1e-3)")'
        )
    return convert(file.state(plain=True), title, (tx, state))


def _check_rule(file: Checkpoint, end: End) -> None:
    """Raise ValueError where the file is of another formula."""
    formula = end.formula(end.rule(end.given))
    told = {rule["sha256"] for rule in file.rules.values()}
    if described(formula)["sha256"] not in told:
        raise ValueError(f"it is of {', '.join(file.rules)}, and {end.title} is {formula.name}")


def _sharded(found: Any, like: Any) -> Any:
    """The arrays on the devices that those of `like` lie on, where these are several."""

    def placed(new: Any, old: Any) -> Any:
        sharding = getattr(old, "sharding", None)
        several = sharding is not None and len(sharding.device_set) > 1
        return jax.device_put(new, sharding) if several else new

    return jax.tree.map(placed, found, like)


def _end(tx: str | None) -> End | None:
    if tx is None:
        return None
    if not isinstance(tx, str):
        raise TypeError(f'tx= is a text such as "adamas.jax.adamw(1e-3)", not {type(tx).__name__}.')
    end = end_of(tx)
    if end.home.name not in HOMES:
        raise ValueError(f"tx={tx!r} is none of adamas.jax or optax.")
    return end


def _with(end: End, state: Any) -> End:
    return End(end.home, end.name, end.given, end.whole, end.live, state)


def _count(name: str, value: Any) -> int:
    counts = name.rpartition(".")[2] in of_optax.COUNTERS and not np.shape(value)
    return int(value) if counts else 0


def _leaf(path: Path, value: Any) -> Leaf | None:
    if isinstance(value, jax.Array):
        if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            raise TypeError("a key of random numbers; save jax.random.key_data of it")
        if not value.is_fully_addressable:
            raise TypeError("an array of which every process has a part; save it with orbax")
        value = np.asarray(value)
    return array_leaf(value)


def _array(array: NDArray[Any], form: str) -> jax.Array:
    """An array of its own of one of a file."""
    # A copy: what lies in the file's memory would be read when it is first used, or not at all.
    kept = array.view(jnp.bfloat16) if form == "BF16" else array
    return jnp.array(kept, copy=True)
