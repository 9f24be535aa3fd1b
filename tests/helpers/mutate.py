"""State dicts spoilt at random: keys lost, added or renamed, values of every wrong kind."""

import copy
import warnings
from collections import OrderedDict
from random import Random
from typing import Any

import numpy as np

VALUES: list[Any] = [
    None, True, 0, 1, 7, -1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 10**400, 0.5, -1.0,
    1e39, 1e308, float("nan"), float("inf"), 1j, "", "1", "adam", b"1", (), [], {}, [1, [2, 3]],
    {"m": 1}, {1, 2}, np.float32(0.25), np.int8(3), np.uint64(2**63), np.bool(True), np.zeros(0),
    np.zeros(3), np.zeros((3, 4)), np.array(5), np.array(2.5), np.array("w"), np.array(None),
    np.full(5, np.nan), np.zeros(5, ">f8"), np.zeros((3, 4), np.int8), np.array([1, "a"], object),
    np.ma.masked_array([1.0] * 5, [1, 0, 0, 0, 0]), object(), len, int,
]  # fmt: skip


def _matrix(array: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asmatrix(array)


def _array(chance: Random, value: Any) -> Any:
    """An array changed a little: in dtype, shape, layout or numbers."""
    if isinstance(value, np.ma.MaskedArray):
        # Its fill value warns where another dtype or number does not hold it.
        value = value.filled(0)
    return chance.choice([
        lambda a: a.astype(np.float16), lambda a: a.astype(object), lambda a: a.ravel(),
        lambda a: a[..., :-1] if a.ndim else a, lambda a: a.T, lambda a: np.asfortranarray(a),
        lambda a: _matrix(a) if a.ndim == 2 else a[None], lambda a: np.repeat(a, 2)[::2],
        lambda a: np.broadcast_to(a, (2, *a.shape)), lambda a: a.tolist(), lambda a: a.byteswap(),
        lambda a: np.full_like(a, 127), lambda a: np.ma.masked_array(a), lambda a: a.tobytes(),
    ])(value)  # fmt: skip


def mutated(saved: dict[str, Any], chance: Random) -> dict[str, Any]:
    """A copy of `saved` with one to three changes at any depth."""
    made = copy.deepcopy(saved)
    for _ in range(chance.randint(1, 3)):
        place: Any = made
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = chance.choice(keys)
            inside = place[key]
            if isinstance(inside, dict | list) and inside and chance.random() < 0.85:
                place = inside
                continue
            _change(place, key, chance)
            break
    return made


def _change(place: Any, key: Any, chance: Random) -> None:
    kind = chance.random()
    if kind < 0.1:
        del place[key]
    elif kind < 0.2 and isinstance(place, dict):
        place[chance.choice(["x", 3, None, (1, 2), "lr", "step", "seed"])] = chance.choice(VALUES)
    elif kind < 0.25 and isinstance(place, dict):
        place[chance.choice(["x", 0, "w", "m"])] = place.pop(key)
    elif kind < 0.3 and isinstance(place[key], dict):
        place[key] = OrderedDict(place[key])
    elif kind < 0.3 and isinstance(place, list):
        place.append(place[key])
    elif kind < 0.6 and isinstance(place[key], np.ndarray) and place[key].dtype.kind in "biuf":
        place[key] = _array(chance, place[key])
    else:
        place[key] = chance.choice(VALUES)
