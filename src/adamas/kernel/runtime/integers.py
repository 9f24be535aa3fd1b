"""Integers of 32 bits, which Numba would widen to 64, and the bits of floats: what codecs need.

Like `intrinsics` these are single machine instructions. Codes are loaded as int32 and stored by
cutting off the upper bits.
"""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from adamas.kernel.runtime.intrinsics import INT32, INT64, memory, pointer, scoped

FLOAT32 = ir.FloatType()
int32 = types.int32
PURPOSE = 668265263


def _operation(name: str) -> Any:
    @intrinsic
    def operate(typing: Any, x: Any, y: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, name)(*args)

        return int32(int32, int32), emit

    return operate


add, sub, mul = _operation("add"), _operation("sub"), _operation("mul")
both, either, differ = _operation("and_"), _operation("or_"), _operation("xor")
left, right, down = _operation("shl"), _operation("ashr"), _operation("lshr")


def _choice(compare: str) -> Any:
    @intrinsic
    def choose(typing: Any, x: Any, y: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.select(builder.icmp_signed(compare, *args), *args)

        return int32(int32, int32), emit

    return choose


larger, smaller = _choice(">"), _choice("<")


@intrinsic
def bits(typing: Any, x: Any) -> Any:
    """The bits of a float32 as an int32."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], INT32)

    return int32(types.float32), emit


@intrinsic
def number(typing: Any, x: Any) -> Any:
    """The float32 with these bits."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], FLOAT32)

    return types.float32(int32), emit


@intrinsic
def is_nan(typing: Any, x: Any) -> Any:
    """Whether these are the bits of a NaN."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = builder.bitcast(args[0], FLOAT32)
        return builder.fcmp_unordered("uno", number, number)

    return types.boolean(int32), emit


def _sum(name: str) -> Any:
    @intrinsic
    def operate(typing: Any, x: Any, y: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            a, b = (builder.bitcast(bits, FLOAT32) for bits in args)
            return builder.bitcast(getattr(builder, name)(a, b), INT32)

        return int32(int32, int32), emit

    return operate


plus, minus = _sum("fadd"), _sum("fsub")


def _codes(width: int, signed: bool) -> tuple[Any, Any]:
    kind = ir.IntType(width)

    @intrinsic(prefer_literal=True)
    def load(typing: Any, address: Any, index: Any, scope: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            code = builder.load(pointer(builder, args[0], args[1], kind))
            scoped(builder, code, scope.literal_value)
            return builder.sext(code, INT32) if signed else builder.zext(code, INT32)

        return int32(types.int64, types.int64, scope), emit

    @intrinsic(prefer_literal=True)
    def store(typing: Any, address: Any, index: Any, scope: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            code = builder.trunc(args[3], kind)
            done = builder.store(code, pointer(builder, args[0], args[1], kind))
            scoped(builder, done, scope.literal_value)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, scope, int32), emit

    return load, store


load_uint8, store_uint8 = _codes(8, False)
load_int8, store_int8 = _codes(8, True)
load_uint16, store_uint16 = _codes(16, False)
load_int16, store_int16 = _codes(16, True)
load_int32, store_int32 = memory(INT32, int32)


def converts_float16(context: Any) -> bool:
    """Whether one instruction of the processor does it; else LLVM calls a function we lack."""
    triple, _, features = context.codegen().magic_tuple()
    return "+f16c" in features.split(",") or triple.startswith("aarch64")


def widened(builder: Any, half: Any) -> Any:
    """The bits of a float32 from those of a float16, in 10 operations on integers or vectors."""
    numbers: Any = FLOAT32

    def word(value: int) -> Any:
        return ir.Constant(half.type, value if half.type == INT32 else [value] * half.type.count)

    if half.type != INT32:
        numbers = ir.VectorType(FLOAT32, half.type.count)
    # float32 has 13 bits more of mantissa, and its exponents begin 112 lower.
    size = builder.shl(builder.and_(half, word(0x7FFF)), word(13))
    plain = builder.add(size, word(112 << 23))
    endless = builder.add(size, word(224 << 23))
    # Without a leading one: put one in front, and subtract it as a number.
    first = word(113 << 23)
    one = builder.bitcast(builder.add(size, first), numbers)
    small = builder.bitcast(builder.fsub(one, builder.bitcast(first, numbers)), half.type)
    found = builder.select(builder.icmp_unsigned(">=", size, word(31 << 23)), endless, plain)
    found = builder.select(builder.icmp_unsigned("<", size, word(1 << 23)), small, found)
    return builder.or_(found, builder.shl(builder.and_(half, word(0x8000)), word(16)))


@intrinsic
def number_float16(typing: Any, code: Any) -> Any:
    """The float32 that a float16 with these bits is."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if converts_float16(context):
            half = builder.bitcast(builder.trunc(args[0], ir.IntType(16)), ir.HalfType())
            return builder.fpext(half, FLOAT32)
        return builder.bitcast(widened(builder, args[0]), FLOAT32)

    return types.float32(int32), emit


@njit(nogil=True, error_model="numpy")
def load_float16(address: int, index: int, scope: Any) -> Any:
    """A float16 as the float32 it is."""
    inline()
    return number_float16(load_uint16(address, index, scope))


@intrinsic(prefer_literal=True)
def scratch(typing: Any, size: Any) -> Any:
    """The address of `size` bytes on the stack, aligned to a cache line."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        with builder.goto_entry_block():
            room = builder.alloca(ir.ArrayType(ir.IntType(8), size.literal_value))
            room.align = 64
        return builder.ptrtoint(room, INT64)

    return types.int64(size), emit


@intrinsic
def barrier(typing: Any) -> Any:
    """Nothing for the machine; the compiler may not move a load or a store across it."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.asm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", [], True)
        return context.get_dummy_value()

    return types.void(), emit


@intrinsic
def inline(typing: Any) -> Any:
    """Put this function into every caller: a loop around a call is not vectorised."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("alwaysinline")
        return context.get_dummy_value()

    return types.void(), emit


@intrinsic
def outline(typing: Any) -> Any:
    """Keep this function out of its callers, where two of them would make two copies of it."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), emit


@njit(nogil=True, error_model="numpy")
def mix(key: int, number: int, purpose: int) -> Any:
    """32 random bits for block `number` and array `purpose`, different with every key."""
    inline()
    x = add(
        differ(key, mul(int32(number), int32(-1640531535))), mul(int32(purpose), int32(PURPOSE))
    )
    x = mul(differ(x, down(x, int32(16))), int32(0x7FEB352D))
    x = mul(differ(x, down(x, int32(15))), int32(-2073254261))
    return differ(x, down(x, int32(16)))
