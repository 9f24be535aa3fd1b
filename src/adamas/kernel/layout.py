"""Where a kernel finds its numbers: the formats of one tensor's arrays, and their order."""

from dataclasses import dataclass

from adamas.codecs import Codec

SCALE = ".scale"
REST = ".rest"
# What a state calls the order of its parameter's axes in memory.
MEMORY_ORDER = "memory_order"
# Bytes that a processor fetches at once.
LINE = 64


@dataclass(frozen=True)
class Column:
    """One array of a tensor: `bits` per element, or one number a block."""

    name: str
    dtype: str
    bits: int
    block: bool = False

    @property
    def flat(self) -> bool:
        """Whether the array has another shape than its parameter: scales, and codes of 4 bits."""
        return self.block or self.bits == 4


@dataclass(frozen=True)
class Layout:
    """The format of the parameter, the gradient and each state.

    `zero_grads` sets gradients to zero in the same pass, `tally` sums their squares up; `second` is
    the format of the array beside the gradient, if the rule reads one.
    """

    parameter: Codec
    gradient: Codec
    states: tuple[Codec, ...]
    zero_grads: bool = False
    tally: bool = False
    second: Codec | None = None

    @property
    def compute(self) -> str:
        """The dtype of the arithmetic: the widest of the parameter's and the states', not g's."""
        widest = max(codec.bits for codec in (self.parameter, *self.states))
        return "float64" if widest == 64 else "float32"

    @property
    def coded(self) -> bool:
        """Whether anything comes in a format that the machine does not compute in."""
        every = (self.parameter, self.gradient, *self.states)
        return any(codec.decode or codec.bits == 16 for codec in every)


def columns(name: str, codec: Codec) -> tuple[Column, ...]:
    """The arrays that hold `name` in this format: codes first."""
    found = [Column(name, codec.dtype, codec.bits)]
    if codec.low:
        found.append(Column(name + SCALE, "uint8", 8, block=True))
    if codec.beside:
        found.append(Column(name + REST, codec.beside, 16 if codec.beside == "int16" else 8))
    return tuple(found)
