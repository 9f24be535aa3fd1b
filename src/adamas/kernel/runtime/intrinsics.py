"""The few machine operations that Numba has no name for.

Raw loads and stores carry an alias scope, one per array: without it LLVM guards the loop with up to
ten address comparisons and gives up on rules with more states. `where`, `maximum`, `sign` compile
to selects and not to branches, so every formula vectorises; NaN goes through them unchanged. The
words of the C library are called once for each element.
"""

import math
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import typing as signatures
from numba.extending import intrinsic

INT64 = ir.IntType(64)
INT32 = ir.IntType(32)
DOUBLE = ir.DoubleType()
BYTES = ir.IntType(8).as_pointer()
SCOPES = 32


def pointer(builder: Any, address: Any, index: Any, kind: Any) -> Any:
    """The address as a pointer to element `index` of an LLVM type."""
    return builder.gep(builder.inttoptr(address, kind.as_pointer()), [index])


def scoped(builder: Any, instruction: Any, scope: int) -> Any:
    """Say that this load or store meets none of another scope."""
    if scope >= SCOPES:
        # Slower, because LLVM then compares addresses, but no rule has so many states.
        return instruction
    module = builder.module
    domain = module.add_metadata(["adamas"])
    scopes = [module.add_metadata([f"adamas {k}", domain]) for k in range(SCOPES)]
    others = [s for k, s in enumerate(scopes) if k != scope]
    instruction.set_metadata("alias.scope", module.add_metadata([scopes[scope]]))
    instruction.set_metadata("noalias", module.add_metadata(others))
    return instruction


def memory(kind: Any, number: Any) -> tuple[Any, Any]:
    """Load and store of one element type; `scope`, the number of the array, must be a literal."""

    @intrinsic(prefer_literal=True)
    def load(typing: Any, address: Any, index: Any, scope: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = builder.load(pointer(builder, args[0], args[1], kind))
            return scoped(builder, value, scope.literal_value)

        return number(types.int64, types.int64, scope), emit

    @intrinsic(prefer_literal=True)
    def store(typing: Any, address: Any, index: Any, scope: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            done = builder.store(args[3], pointer(builder, args[0], args[1], kind))
            scoped(builder, done, scope.literal_value)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, scope, number), emit

    return load, store


load_float32, store_float32 = memory(ir.FloatType(), types.float32)
load_float64, store_float64 = memory(DOUBLE, types.float64)
load_int64, store_int64 = memory(INT64, types.int64)


@intrinsic
def number64(typing: Any, x: Any) -> Any:
    """The float64 with these bits."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], DOUBLE)

    return types.float64(types.int64), emit


@intrinsic
def claim(typing: Any, address: Any, index: Any, amount: Any) -> Any:
    """Add `amount` to the word and return what it held: threads share work without a lock."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = pointer(builder, args[0], args[1], INT64)
        return builder.atomic_rmw("add", word, args[2], "seq_cst")

    return types.int64(types.int64, types.int64, types.int64), emit


@intrinsic
def prefetch(typing: Any, address: Any) -> Any:
    """Ask for a cache line; an address outside the array is harmless."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [BYTES, INT32, INT32, INT32])
        function = builder.module.declare_intrinsic("llvm.prefetch", [BYTES], kind)
        read, keep, data = (ir.Constant(INT32, k) for k in (0, 3, 1))
        builder.call(function, [builder.inttoptr(args[0], BYTES), read, keep, data])
        return context.get_dummy_value()

    return types.void(types.int64), emit


@intrinsic
def widest_vectors(typing: Any) -> Any:
    """Let this function use 512-bit vectors where LLVM would settle for 256."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        # llvmlite only knows a fixed list of attributes; the set behind it takes any text.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), emit


def _choice(compare: str) -> Any:
    @intrinsic
    def choose(typing: Any, x: Any, y: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            a, b = args
            wins = builder.fcmp_ordered(compare, a, b)
            return builder.select(builder.or_(wins, builder.fcmp_unordered("uno", a, a)), a, b)

        return x(x, x), emit

    return choose


maximum = _choice(">=")
minimum = _choice("<=")


@intrinsic
def where(typing: Any, condition: Any, x: Any, y: Any) -> Any:
    """Select without a branch."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(args[0], args[1], args[2])

    return x(types.boolean, x, x), emit


@intrinsic
def sign(typing: Any, x: Any) -> Any:
    """-1, 0 or 1; NaN stays NaN."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        (a,) = args
        zero, one, minus = (ir.Constant(a.type, k) for k in (0.0, 1.0, -1.0))
        lower = builder.select(builder.fcmp_ordered("<", a, zero), minus, a)
        return builder.select(builder.fcmp_ordered(">", a, zero), one, lower)

    return x(x), emit


def _unary(name: str) -> Any:
    @intrinsic
    def word(typing: Any, x: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            function = builder.module.declare_intrinsic(f"llvm.{name}", [args[0].type])
            return builder.call(function, args)

        return x(x), emit

    return word


def _in_float64(builder: Any, context: Any, function: Any, args: Any) -> Any:
    """A function of the C library, whose float32 forms differ from one library to the next."""
    wide = [a if a.type == DOUBLE else builder.fpext(a, DOUBLE) for a in args]
    call = context.get_function(function, signatures.signature(*[types.float64] * (1 + len(args))))
    found = call(builder, wide)
    return found if args[0].type == DOUBLE else builder.fptrunc(found, args[0].type)


def _library(function: Any) -> Any:
    @intrinsic
    def word(typing: Any, x: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _in_float64(builder, context, function, args)

        return x(x), emit

    return word


@intrinsic
def atan2(typing: Any, y: Any, x: Any) -> Any:
    """The angle of a point."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _in_float64(builder, context, math.atan2, args)

    return x(x, x), emit


sqrt = _unary("sqrt")
abs = _unary("fabs")
exp, log = math.exp, math.log
cos, sin, tanh = _library(math.cos), _library(math.sin), _library(math.tanh)
