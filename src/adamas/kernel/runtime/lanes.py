"""Sums over a block of gradients, in 16 lanes side by side.

The order of the sums is our own: LLVM only vectorises a sum if it may regroup its terms, and then
its last digits depend on how wide the processor's vectors are. Sixteen float64 are two registers of
AVX-512, four of AVX2.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from adamas.kernel.runtime import job as j
from adamas.kernel.runtime.integers import converts_float16, widened
from adamas.kernel.runtime.intrinsics import INT32

LANES = 16
INT16 = ir.IntType(16)
_NUMBERS = ir.VectorType(ir.FloatType(), LANES)
_SUMS = ir.VectorType(ir.DoubleType(), LANES)
_WORDS = ir.VectorType(INT32, LANES)

# (context, builder, values as they are loaded, LLVM's type for vectors) -> values of that type.
Widen = Callable[[Any, Any, Any, Any], Any]


def _blocks(builder: Any, at: Any, kind: Any, width: int) -> Any:
    """The numbers of the block that begins at an address, 16 at a time."""
    start = builder.inttoptr(at, kind.as_pointer())
    for k in range(0, j.TILE, LANES):
        place = builder.gep(start, [ir.Constant(INT32, k)])
        vector = builder.bitcast(place, ir.VectorType(kind, LANES).as_pointer())
        yield builder.load(vector, align=width)


def squares(kind: Any, width: int, widen: Widen) -> Any:
    """The function that adds the squares of the block at an address to the sums at another."""

    @intrinsic
    def add(typing: Any, at: Any, sums: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = builder.inttoptr(args[1], _SUMS.as_pointer())
            total = builder.load(place, align=8)
            for read in _blocks(builder, args[0], kind, width):
                x = widen(context, builder, read, _SUMS)
                total = builder.fadd(total, builder.fmul(x, x))
            builder.store(total, place, align=8)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), emit

    return add


def doubtful(kind: Any, width: int, widen: Widen) -> Any:
    """The function that says whether a block times a factor may hold, or make, what is not finite.

    The product is one in the factor's dtype, rounded to that of `zero`. A factor of at most 1 makes
    nothing overflow, and a sum of squares is NaN or large if a number is, see `job.CALM`: one
    instruction for 16 numbers. Everything else is in doubt. Sums begin with 1, so that squares of
    small numbers are not numbers that processors are slow with.
    """

    @intrinsic
    def ask(typing: Any, at: Any, factor: Any, zero: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            if factor != zero:
                return ir.Constant(ir.IntType(1), 1)
            numbers = _NUMBERS if factor == types.float32 else _SUMS
            ones = ir.Constant(numbers, [1.0] * LANES)
            most = ir.Constant(numbers, [j.CALM[factor.name] ** 2] * LANES)
            sums = [ones, ones]
            for k, read in enumerate(_blocks(builder, args[0], kind, width)):
                x = widen(context, builder, read, numbers)
                sums[k % 2] = _product_sum(context, builder, x, x, sums[k % 2])
            total = builder.fadd(*sums)
            lost = builder.bitcast(builder.fcmp_unordered("uge", total, most), ir.IntType(LANES))
            size = builder.call(
                builder.module.declare_intrinsic("llvm.fabs", [args[1].type]), [args[1]]
            )
            small = builder.fcmp_ordered("<=", size, ir.Constant(size.type, 1.0))
            some = builder.icmp_unsigned("!=", lost, ir.Constant(lost.type, 0))
            return builder.or_(some, builder.not_(small))

        return types.boolean(types.int64, factor, zero), emit

    return ask


def added(kind: Any, width: int, lanes: Any, squared: bool) -> Any:
    """The function that adds up the block at an address, or its squares, in 16 lanes.

    `lanes` is the type in which a lane adds its 8 numbers; then they are added in pairs, in
    float64.
    """

    @intrinsic
    def add(typing: Any, at: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            total = ir.Constant(lanes, [0.0] * LANES)
            for read in _blocks(builder, args[0], kind, width):
                x = _as_it_is(context, builder, read, lanes)
                total = builder.fadd(total, builder.fmul(x, x) if squared else x)
            total, count = _as_it_is(context, builder, total, _SUMS), LANES
            while count > 1:
                count //= 2
                places = range(count), range(count, 2 * count)
                masks = (ir.Constant(ir.VectorType(INT32, count), list(p)) for p in places)
                total = builder.fadd(*(builder.shuffle_vector(total, total, m) for m in masks))
            return builder.extract_element(total, ir.Constant(INT32, 0))

        return types.float64(types.int64), emit

    return add


def _product_sum(context: Any, builder: Any, x: Any, y: Any, z: Any) -> Any:
    """X * y + z, in one instruction where the processor has one; how it is rounded is open."""
    if "+fma" not in context.codegen().magic_tuple()[2].split(","):
        return builder.fadd(builder.fmul(x, y), z)
    kind = ir.FunctionType(x.type, [x.type] * 3)
    name = f"llvm.fma.v{LANES}f{32 if x.type == _NUMBERS else 64}"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [x, y, z])


def _as_it_is(context: Any, builder: Any, numbers: Any, kind: Any) -> Any:
    return numbers if numbers.type == kind else builder.fpext(numbers, kind)


def _from_bfloat16(context: Any, builder: Any, codes: Any, kind: Any) -> Any:
    words = builder.shl(builder.zext(codes, _WORDS), ir.Constant(_WORDS, [16] * LANES))
    return _as_it_is(context, builder, builder.bitcast(words, _NUMBERS), kind)


def _from_float16(context: Any, builder: Any, codes: Any, kind: Any) -> Any:
    if converts_float16(context):
        halves = builder.bitcast(codes, ir.VectorType(ir.HalfType(), LANES))
        return _as_it_is(context, builder, builder.fpext(halves, _NUMBERS), kind)
    words = widened(builder, builder.zext(codes, _WORDS))
    return _as_it_is(context, builder, builder.bitcast(words, _NUMBERS), kind)


FORMS: dict[str, tuple[Any, int, Widen]] = {
    "float32": (ir.FloatType(), 4, _as_it_is),
    "float64": (ir.DoubleType(), 8, _as_it_is),
    "float16": (INT16, 2, _from_float16),
    "bfloat16": (INT16, 2, _from_bfloat16),
}
SQUARES = {name: squares(*form) for name, form in FORMS.items()}
DOUBTFUL = {name: doubtful(*form) for name, form in FORMS.items()}
ADDED = {
    (name, lanes, squared): added(*FORMS[name][:2], kind, squared)
    for name, lanes, kind in (
        ("float32", "float32", _NUMBERS),
        ("float32", "float64", _SUMS),
        ("float64", "float64", _SUMS),
    )
    for squared in (False, True)
}
