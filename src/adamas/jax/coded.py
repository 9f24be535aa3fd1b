"""States in few bits: the codecs' own text on JAX's arrays, with the kernels' random words.

Both are arithmetic of 32 bits on whole numbers, so codes and scales are those of `adamas.Optimizer`
for the same numbers, seed, step, place of the leaf and state. They save memory while nothing is
stepped; the step itself is slower than with float32 on a CPU (docs/decisions/0023).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

from adamas.codecs import BFLOAT16_RANDOM, BLOCK, MEAN8, SQUARE8, Codec
from adamas.engine.codes import HALF
from adamas.engine.grid import Grid, grid_of
from adamas.jax.keeping import Place, Plain, dtype_of
from adamas.kernel import dither
from adamas.words import rebound

SCALED = {codec.name: codec for codec in (MEAN8, SQUARE8)}
LEFT_TO_XLA = 32
"""Numbers of a block whose maximum is left to XLA; measured against 1, 8, 16, 64 and 128."""


def bits_of(numbers: jax.Array) -> jax.Array:
    """The bits of float32 numbers, as int32."""
    return jax.lax.bitcast_convert_type(numbers, jnp.int32)


def numbers_of(bits: jax.Array) -> jax.Array:
    """The float32 numbers that have these bits."""
    return jax.lax.bitcast_convert_type(bits, jnp.float32)


WORDS: dict[str, Callable[..., Any]] = {
    "where": jnp.where,
    "maximum": jnp.maximum,
    "minimum": jnp.minimum,
    "is_nan": lambda bits: jnp.isnan(numbers_of(bits)),
}


@cache
def on_arrays(function: Callable[..., Any] | None) -> Callable[..., jax.Array]:
    """A codec's function with its words bound to JAX."""
    assert function is not None
    return rebound(function, WORDS)


def key_of(place: Place) -> jax.Array:
    """The key of a leaf's step; its seed may be traced, as the count is."""
    seed = place.seed
    seed = seed if isinstance(seed, int) else jnp.asarray(seed).astype(jnp.int32)
    step = jnp.asarray(place.count, jnp.int32) + 1
    made: jax.Array = dither.step_key(seed, jnp.int32(place.leaf), step)
    return made


def words(key: jax.Array, purpose: int, shape: tuple[int, ...], grid: Grid) -> jax.Array:
    """A random int32 for each element of the array number `purpose` of a leaf."""
    count = partial(jnp.arange, dtype=jnp.int32)
    made: jax.Array = dither.words(key, purpose, grid.rows, grid.width, count)
    return made.reshape(shape)


def at_random(values: jax.Array, place: Place, rowwise: bool) -> jax.Array:
    """Float32 numbers as bfloat16, rounded up or down at random so that the mean is kept.

    Its derivative is that of the numbers.
    """
    random = words(key_of(place), place.array, values.shape, grid_of(values.shape, rowwise))
    codes = on_arrays(BFLOAT16_RANDOM.encode)(bits_of(values), 0, random)
    return straight(jax.lax.bitcast_convert_type(codes.astype(jnp.int16), jnp.bfloat16), values)


@jax.custom_jvp
def straight(rounded: jax.Array, values: jax.Array) -> jax.Array:
    """`rounded`, with the derivative of the `values` that it was made of."""
    return rounded


@straight.defjvp
def _straight(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    rounded, _ = primals
    return rounded, tangents[1].astype(rounded.dtype)


def added(target: jax.Array, p: jax.Array, place: Place, rowwise: bool) -> jax.Array:
    """What to add to a bfloat16 parameter for the sum to be `target`, a bfloat16 as well.

    Both are float32. The result holds a bfloat16 and is exact where their difference is one. Where
    it is not, it is the difference rounded up or down, at random: `p` and it, added and rounded to
    nearest, have the mean `target`.
    """
    exact = target - p
    bits = bits_of(exact)
    near, far = numbers_of(bits & -65536), numbers_of((bits + 0xFFFF) & -65536)
    # Not a conversion, which XLA may leave out.
    short, long = (jax.lax.reduce_precision(p + one, 8, 7) for one in (near, far))
    share = (target - short) / jnp.where(long == short, 1.0, long - short)
    random = words(key_of(place), place.array, p.shape, grid_of(p.shape, rowwise))
    return straight(jnp.where((random & 0xFFFFFF) < share * 2**24, far, near), exact)


@jax.custom_jvp
def without_derivative(value: jax.Array) -> jax.Array:
    """The same; raises TypeError when it is differentiated."""
    return value


@without_derivative.defjvp
def _without_derivative(primals: Any, tangents: Any) -> Any:
    raise TypeError(
        "a state of int8 has no derivative, because its codes are whole numbers: differentiate "
        "steps with state='float32' or 'bfloat16'."
    )


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("codes", "scales"),
    meta_fields=("codec", "rowwise"),
)
@dataclass(frozen=True)
class Coded:
    """A state of eight bits: `codes` in the shape of its leaf, and a `scales` byte for each block.

    `codec` is the format's name, `rowwise` says that blocks begin anew with every row.
    """

    codes: jax.Array
    scales: jax.Array
    codec: str
    rowwise: bool

    def numbers(self) -> jax.Array:
        """The float32 numbers that the codes stand for; NaN where a block was lost to one."""
        found: jax.Array = _apart(self._numbers, self.codes, False)(self.codes, self.scales)
        return found

    def _numbers(self, codes: jax.Array, scales: jax.Array) -> jax.Array:
        lows = _spread(scales.astype(jnp.int32), grid_of(codes.shape, self.rowwise), codes.shape)
        found = numbers_of(on_arrays(SCALED[self.codec].decode)(codes.astype(jnp.int32), lows))
        return jnp.where(lows == 0, jnp.nan, found)


def _spread(lows: jax.Array, grid: Grid, shape: tuple[int, ...]) -> jax.Array:
    """The scale of each element of an array of `shape`."""
    each = jnp.broadcast_to(lows[:, None], (grid.blocks, BLOCK))
    rows = each.reshape(grid.rows, grid.row_blocks * BLOCK)
    return rows[:, : grid.width].reshape(shape)


def _most(bits: jax.Array, grid: Grid) -> jax.Array:
    """The largest of every block, of bits without sign."""
    room = grid.row_blocks * BLOCK - grid.width
    rows = jnp.pad(bits.reshape(grid.rows, grid.width), ((0, 0), (0, room)))
    # Half against half first: XLA makes no vectors of a maximum over an axis, and keeps both
    # moments in memory for it (docs/decisions/0023). Down to one it would compute all of it again
    # for every element.
    most, width = rows.reshape(-1, BLOCK), BLOCK
    while width > LEFT_TO_XLA:
        width //= 2
        most = jnp.maximum(most[:, :width], most[:, width:])
    return jnp.max(most, axis=1)


def _apart(function: Callable[..., Any], like: jax.Array, scales: bool) -> Callable[..., Any]:
    """`function` where blocks may lie across the parts of an array that is sharded explicitly.

    Its result is sharded as `like`; `scales`, which it makes too, are whole on every device.
    """
    own: Any = jax.typeof(like).sharding
    if not any(own.spec):
        return function
    whole: Any = PartitionSpec()  # type: ignore[no-untyped-call]
    kept = (own, NamedSharding(own.mesh, whole)) if scales else own
    made: Callable[..., Any] = jax.sharding.auto_axes(function, out_sharding=kept)
    return made


class Bfloat16:
    """As bfloat16, rounded at random."""

    def __init__(self, rowwise: bool) -> None:
        self._rowwise = rowwise

    def rounds(self, kept: Any) -> bool:
        """Whether random words are taken; so it is here."""
        return True

    def start(self, like: Any, initial: Any) -> Any:
        """An array of the shape and sharding of `like`."""
        _check_real(like, "bfloat16")
        return jnp.full_like(like, initial, dtype=jnp.bfloat16)

    def decode(self, kept: Any, like: jax.Array) -> jax.Array:
        """Its numbers, which any wider dtype holds."""
        codes = jax.lax.bitcast_convert_type(kept, jnp.int16).astype(jnp.int32)
        found = numbers_of(on_arrays(BFLOAT16_RANDOM.decode)(codes, 0))
        return straight(found, kept).astype(like.dtype)

    def encode(self, value: jax.Array, before: Any, place: Place | None) -> Any:
        """The rounded numbers."""
        assert place is not None
        return at_random(value.astype(jnp.float32), place, self._rowwise)


class Scaled:
    """As codes of eight bits with a scale a block; leaves below `small` elements as float32."""

    def __init__(self, codec: Codec, rowwise: bool, small: int) -> None:
        self._codec, self._rowwise, self._small = codec, rowwise, small

    def rounds(self, kept: Any) -> bool:
        """Whether this leaf is large enough to have codes."""
        return isinstance(kept, Coded)

    def start(self, like: Any, initial: Any) -> Any:
        """Codes of the shape and sharding of `like`, and their scales."""
        if like.size < self._small:
            return Plain().start(like, initial)
        _check_real(like, "int8")
        bits = bits_of(jnp.asarray(initial, jnp.float32))
        low = on_arrays(self._codec.low)(bits & 0x7FFFFFFF)
        code = on_arrays(self._codec.encode)(bits, low, HALF)
        codes = jnp.full_like(like, code, dtype=self._codec.dtype)
        blocks = grid_of(like.shape, self._rowwise).blocks
        scales = jnp.full(blocks, low, jnp.uint8)
        return Coded(codes, scales, self._codec.name, self._rowwise)

    def decode(self, kept: Any, like: jax.Array) -> jax.Array:
        """The numbers that the codes stand for."""
        if not isinstance(kept, Coded):
            return Plain().decode(kept, like)
        return kept.numbers().astype(like.dtype)

    def encode(self, value: jax.Array, before: Any, place: Place | None) -> Any:
        """New codes and scales."""
        if not isinstance(before, Coded):
            return Plain().encode(value, before, place)
        assert place is not None
        value = without_derivative(value)
        coded = _apart(partial(self._coded, purpose=place.array), value, True)
        codes, scales = coded(value.astype(jnp.float32), key_of(place))
        return Coded(codes, scales, self._codec.name, self._rowwise)

    def _coded(self, value: jax.Array, key: jax.Array, purpose: int) -> tuple[jax.Array, jax.Array]:
        bits, grid = bits_of(value), grid_of(value.shape, self._rowwise)
        lows = on_arrays(self._codec.low)(_most(bits & 0x7FFFFFFF, grid))
        spread = _spread(lows, grid, value.shape)
        random = words(key, purpose, value.shape, grid)
        codes = on_arrays(self._codec.encode)(bits, spread, random)
        # What a lost block holds does not matter, but it must not depend on the machine.
        codes = jnp.where(spread == 0, 0, codes).astype(self._codec.dtype)
        return codes, lows.astype(jnp.uint8)


def _check_real(like: Any, name: str) -> None:
    if jnp.issubdtype(dtype_of(like), jnp.complexfloating):
        raise ValueError(
            f"state={name!r} is for real numbers, and a parameter has dtype {dtype_of(like)}; "
            "choose state='float32' for it."
        )
