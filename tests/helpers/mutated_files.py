"""Files that were spoilt: at any byte, any number of the header, any word of what is in it."""

import copy
import json
from typing import Any

from hypothesis import strategies as st

HUGE = [1 << 31, 1 << 32, (1 << 53) + 1, (1 << 63) - 1, 1 << 63, 1 << 64, 1 << 200, 10**400]
ODD: list[Any] = [
    None, True, False, -1, 0, 1, 2, 3, 0.5, -0.0, 1e308, *HUGE, "", "F32", "F4", "BF16", "I8",
    "x" * 70, "$tensor", [], {}, [0], [1, 2], [-1], [[]], {"a": 1}, {"$tensor": "w"},
    {"$tensor": "no"},
    {"$tensor": 3}, {"$complex128": "w"}, {"$dict": [[1]]}, {"$dict": [[None, 1]]},
    {"$float": "1"}, {"$float": "nan"}, {"$tuple": 3}, {"$tuple": []}, {"$code": "print()"},
    {"$tensor": "w", "a": 1},
    [1 << 62, 0], [1 << 40, 1 << 40], [0] * 70, [0, 1 << 62], "nan", "\ud800", "\x00", "a\nb",
]  # fmt: skip
# What JSON of the standard has not, or not twice; put where a value was.
RAW = ["NaN", "Infinity", "-Infinity", "1e400", "01", "[" * 5000, "[" * 200_000, '{"a":1,"a":1}',
       '"\\ud800"', "tru", "'x'", "1,", "\\"]  # fmt: skip
MARK = "<here>"


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a file, and what is behind it."""
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


def joined(header: str, body: bytes) -> bytes:
    """A file again."""
    text = header.encode(errors="surrogatepass")
    return len(text).to_bytes(8, "little") + text + body


@st.composite
def bytewise(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` with bytes changed, put in, taken out, or cut off; mostly in its header."""
    found = bytearray(data)
    header = 8 + int.from_bytes(data[:8], "little")
    for _ in range(draw(st.integers(1, 3))):
        end = draw(st.sampled_from([8, header, len(data)]))
        place = draw(st.integers(0, min(end, len(found))))
        kind = draw(st.sampled_from(["set", "insert", "remove", "cut", "append", "length"]))
        some = draw(st.binary(min_size=1, max_size=9))
        if kind == "set":
            found[place : place + len(some)] = some
        elif kind == "insert":
            found[place:place] = some
        elif kind == "remove":
            del found[place : place + len(some)]
        elif kind == "cut":
            del found[place:]
        elif kind == "append":
            found += some
        else:
            length = draw(st.sampled_from([0, 1, header - 9, header - 7, *HUGE[:6]]))
            found[:8] = (length % (1 << 64)).to_bytes(8, "little")
    return bytes(found)


def nodes(tree: Any) -> list[tuple[Any, Any]]:
    """Every place in a tree: what it is in, and its key there."""
    if isinstance(tree, dict | list):
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        return [(tree, key) for key in keys] + [pair for key in keys for pair in nodes(tree[key])]
    return []


def spoil(draw: st.DrawFn, tree: Any) -> str:
    """The JSON of `tree` with something in it that does not belong there."""
    raw = None
    for _ in range(draw(st.integers(1, 2))):
        inside, key = draw(st.sampled_from(nodes(tree)))
        kind = draw(st.sampled_from(["odd", "odd", "raw", "drop", "swap", "key"]))
        if kind == "raw":
            inside[key], raw = MARK, draw(st.sampled_from(RAW))
        elif kind == "drop":
            del inside[key]
        elif kind == "swap":
            other, there = draw(st.sampled_from(nodes(tree)))
            inside[key] = json.loads(json.dumps(other[there]))
        elif kind == "key" and isinstance(inside, dict):
            inside[draw(st.sampled_from(["$tensor", "x", "__metadata__", ""]))] = inside.pop(key)
        else:
            inside[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
        if not nodes(tree):
            break
    return json.dumps(tree).replace(json.dumps(MARK), raw or "0")


@st.composite
def headers(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` with its header spoilt, in a place that is still JSON or not."""
    header, body = split(data)
    return joined(spoil(draw, header), body)


@st.composite
def documents(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` with what adamas wrote into its header spoilt."""
    header, body = split(data)
    document = json.loads(header["__metadata__"]["adamas"])
    header["__metadata__"]["adamas"] = spoil(draw, document)
    return joined(json.dumps(header), body)
