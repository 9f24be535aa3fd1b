"""Which format each state gets: by a word, a dict, a function, or a careful default."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adamas
from few_bits import bfloat16, everywhere
from long_form import few_of
from stepping import make

BIG, SMALL = np.zeros((64, 64), np.float32), np.zeros((63, 65), np.float32)


@pytest.mark.parametrize("form", ["int8", "bfloat16", "float32"])
def test_careful_keeps_small_tensors(form: str) -> None:
    """Below 4,096 elements careful() keeps float32, from there the format that was asked for."""
    rule = adamas.careful(form)
    assert (BIG.size, SMALL.size) == (4096, 4095)
    assert rule("w", BIG) == form
    assert rule("w", SMALL) == "float32"
    assert rule(0, BIG) == form


@pytest.mark.parametrize(
    "name",
    [
        "embedding.weight",
        "tok_emb",
        "transformer.wte",
        "wpe.weight",
        "LayerNorm.weight",
        "h.0.bias",
    ],
)
def test_careful_spares_sensitive_tensors(name: str) -> None:
    """Embeddings, norms and biases have 8 bits where others have 4, and 8 stay 8."""
    name = name.replace("tok_emb", "tok.emb")
    assert adamas.careful("int4")(name, BIG) == "int8"
    assert adamas.careful("int8")(name, BIG) == "int8"
    assert adamas.careful("int4")("attention.weight", BIG) == "int4"


def test_careful_can_be_overridden() -> None:
    """The size, the names and what they get instead are the user's to choose."""
    rule = adamas.careful("int4", small=10, sensitive="head$", instead="bfloat16")
    assert rule("head", SMALL) == "bfloat16"
    assert rule("embedding", SMALL) == "int4"
    assert rule("head", np.zeros(9)) == "float32"


def test_a_plain_word_is_careful() -> None:
    """state="int4" is careful("int4"); what came of it can be seen in `storage`."""
    params = {"w": BIG.copy(), "emb.weight": BIG.copy(), "b": np.zeros(64, np.float32)}
    for state in ("int4", adamas.careful("int4")):
        storage = adamas.AdamW(params, state=state).storage
        assert storage == {
            "w": {"m": "int4", "v": "int4"},
            "emb.weight": {"m": "int8", "v": "int8"},
            "b": {"m": "float32", "v": "float32"},
        }
    # bfloat16 has float32's range, and float32 and float64 lose nothing: no tensor is spared.
    assert adamas.AdamW(params, state="bfloat16").storage["b"] == {"m": "bfloat16", "v": "bfloat16"}


def test_storage_tells_the_arrays() -> None:
    """The state's arrays have the dtypes of the formats: bytes of codes, bytes of scales."""
    entry: dict[str, Any] = adamas.AdamW(BIG.copy(), state={"m": "int4", "v": "bfloat16"}).state[0]
    assert {k: v.dtype.name for k, v in entry.items() if isinstance(v, np.ndarray)} == {
        "m": "uint8",
        "m.scale": "uint8",
        "v": "uint16",
    }
    assert entry["m"].size == BIG.size // 2


def test_dict() -> None:
    """A dict chooses state by state; what it does not name stays in full precision."""
    storage = adamas.AdamW(np.zeros(5, np.float32), state={"m": "int8"}).storage
    assert storage[0] == {"m": "int8", "v": "float32"}
    wide = adamas.AdamW(np.zeros(5), state={"m": "int8"}).storage
    assert wide[0] == {"m": "int8", "v": "float64"}


def test_function() -> None:
    """A function of name and array chooses tensor by tensor, and may return a word or a dict."""
    seen: list[tuple[Any, tuple[int, ...]]] = []

    def choose(key: Any, array: Any) -> Any:
        seen.append((key, array.shape))
        return "int8" if key == "a" else {"v": "bfloat16"}

    params = {"a": np.zeros(3, np.float32), "b": np.zeros((2, 2), np.float32)}
    storage = adamas.AdamW(params, state=choose).storage
    assert seen == [("a", (3,)), ("b", (2, 2))]
    assert storage == {"a": {"m": "int8", "v": "int8"}, "b": {"m": "float32", "v": "bfloat16"}}


EXACT = [
    ("adagrad", "v", None),
    ("amsgrad", "v_max", "v"),
    ("rmsprop_centered", "m", None),
    ("schedule_free_adamw", "z", "v"),
]
FORMS = ["int8", "int4", "bfloat16"]


@pytest.mark.parametrize(("rule", "exact", "few"), EXACT)
@pytest.mark.parametrize("form", FORMS)
def test_exact_states(rule: str, exact: str, few: str | None, form: str) -> None:
    """A state that few bits would spoil stays in float32, unless it is asked for by name."""
    storage = make(rule, np.zeros(5, np.float32), state=everywhere(form)).storage[0]
    assert storage[exact] in ("float32", "exact")
    if few:
        assert storage[few] == form
    optimizer = make(rule, np.ones(300, np.float32), state={exact: form})
    assert optimizer.storage[0][exact] == form
    assert optimizer.state[0][exact].dtype.itemsize < 4


@pytest.mark.parametrize(("rule", "exact"), few_of([(rule, exact) for rule, exact, _ in EXACT], 2))
@pytest.mark.parametrize("form", few_of(FORMS, 1))
def test_exact_states_in_few_bits_step(rule: str, exact: str, form: str) -> None:
    """Where it was asked for, such a rule steps to finite numbers."""
    optimizer = make(rule, np.ones(300, np.float32), state={exact: form})
    optimizer.step(np.ones(300, np.float32))
    assert np.isfinite(optimizer.values(0)[exact]).all()


def test_float64_parameters() -> None:
    """float64 parameters keep float64 state by default, and few bits where these are asked for."""
    p = np.zeros(5)
    assert adamas.AdamW(p).storage[0] == {"m": "float64", "v": "float64"}
    few = adamas.AdamW(p, state=everywhere("int8")).storage[0]
    assert few == {"m": "int8", "v": "int8"}


def wrong(key: Any, array: Any) -> Any:
    """A choice that is no format."""
    return 8


ERRORS: list[tuple[Any, type[Exception], str]] = [
    ("int7", ValueError, "'int7'.*int8"),
    ({"m": "int7"}, ValueError, "'int7'.*int4"),
    ({"x": "int8"}, ValueError, "no state 'x'; it has m, v"),
    (8, TypeError, "state=8 must be a format"),
    (wrong, TypeError, "8 for 0.*neither a format nor a dict"),
    (lambda k, a: "fp8", ValueError, "'fp8' for 0.*int8"),
    (lambda k, a: {"y": "int8"}, ValueError, "no state 'y'"),
]


@pytest.mark.parametrize(("state", "kind", "said"), ERRORS, ids=range(len(ERRORS)))
def test_errors(state: Any, kind: type[Exception], said: str) -> None:
    """A wrong choice is refused at once, with the value, the tensor, and what there is."""
    with pytest.raises(kind, match=said):
        adamas.AdamW(np.zeros(5, np.float32), state=state)


@pytest.mark.parametrize("build", [lambda: adamas.careful("int7"),
                                   lambda: adamas.careful("int8", instead="int7")])  # fmt: skip
def test_careful_knows_the_formats(build: Callable[[], Any]) -> None:
    """careful() refuses a format that does not exist when it is made, not when it is used."""
    with pytest.raises(ValueError, match=r"'int7'.*int8"):
        build()


@pytest.mark.parametrize(("master", "kind"), [(7, ValueError), (32, ValueError)])
def test_master(master: Any, kind: type[Exception]) -> None:
    """`master` is 8, 16 or None, and the message says so."""
    with pytest.raises(kind, match=re.escape(f"master={master} must be 8 or 16")):
        adamas.AdamW(bfloat16([1.0, 2.0]), master=master)


@pytest.mark.parametrize("seed", [-1, 1 << 32, 1.5, "1"])
def test_seeds(seed: Any) -> None:
    """A seed is a whole number of 32 bits; another is refused by name."""
    with pytest.raises((TypeError, ValueError), match="seed"):
        adamas.AdamW(np.zeros(3, np.float32), seed=seed)
