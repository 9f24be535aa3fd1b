"""The bars, set before anything was measured: one table for the kinds of processor we have."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """What a figure may be at most, or must be at least, on a Xeon with AVX-512 and on a Zen 4."""

    xeon: float
    zen: float
    at_least: bool = False

    def on(self, cpu: str) -> float:
        """The bar for a processor that calls itself `cpu`; for a third kind the laxer of both."""
        if "Intel" in cpu:
            return self.xeon
        if "AMD" in cpu:
            return self.zen
        return (min if self.at_least else max)(self.xeon, self.zen)

    def verdict(self, value: float, cpu: str) -> str:
        """The bar in words, and whether `value` keeps to it."""
        bar = self.on(cpu)
        met = value >= bar if self.at_least else value <= bar
        return f"{'at least' if self.at_least else 'at most'} {bar:g}: {'met' if met else 'missed'}"


def bar(section: str, figure: str) -> Bar | None:
    """The bar of a figure, by the word of its section and its own; None where none was set."""
    return BARS.get((section, figure))


def barred(section: str) -> list[str]:
    """The figures of a section that have a bar."""
    return [figure for key, figure in BARS if key == section]


# The section's word in the file, and the figure's: `python -m benchmarks` in its default sizes.
BARS = {
    ("guard", "float32, 64 Mi"): Bar(1.02, 1.02),
    ("guard", "int8 state, 64 Mi"): Bar(1.02, 1.02),
    ("guard", "bfloat16 state, 64 Mi"): Bar(1.02, 1.02),
    ("guard", "bf16 p and g, int8 state, 64 Mi"): Bar(1.02, 1.02),
    ("guard", "float32, 16 Mi"): Bar(1.02, 1.02),
    ("guard", "int8 state, 16 Mi"): Bar(1.02, 1.02),
    ("guard", "bfloat16 state, 16 Mi"): Bar(1.02, 1.02),
    ("guard", "bf16 p and g, int8 state, 16 Mi"): Bar(1.02, 1.02),
    ("guard", "float32, 1 Mi"): Bar(1.05, 1.05),
    ("guard", "int8 state, 1 Mi"): Bar(1.05, 1.05),
    ("guard", "bfloat16 state, 1 Mi"): Bar(1.05, 1.05),
    ("guard", "bf16 p and g, int8 state, 1 Mi"): Bar(1.05, 1.05),
    ("large", "adamas / torch fused"): Bar(0.85, 0.96),
    ("large", "adamas / torch on huge pages"): Bar(1.0, 1.0),
    ("large", "share of the memory limit"): Bar(0.95, 0.93, at_least=True),
    ("large", "NumPy tutorial / adamas"): Bar(15, 15, at_least=True),
    ("growth", "adamas / torch fused at 1 Mi"): Bar(1.0, 1.0),
    ("many", "adamas / torch fused, 300 x 4,096"): Bar(0.3, 0.3),
    ("many", "adamas / torch fused, fresh gradients, 300 x 4,096"): Bar(0.5, 0.5),
    ("tiny", "same gradient array"): Bar(4, 5),
    ("tiny", "fresh gradient array"): Bar(4, 5),
    ("rows", "adamas / SparseAdam, as backward leaves it"): Bar(0.5, 0.5),
    ("rows", "adamas / SparseAdam, coalesced"): Bar(0.5, 0.5),
    ("start", "import adamas, with NumPy"): Bar(150, 150),
    ("start", "first step, warm"): Bar(0.7, 0.7),
    ("start", "first step, cold"): Bar(4.0, 4.0),
    ("rules", "signum / momentum"): Bar(1.05, 1.05),
    ("rules", "yogi / adam"): Bar(1.05, 1.05),
    ("rules", "grams / adamw"): Bar(1.05, 1.05),
    ("reductions", "share of the memory limit, LAMB, 64 Mi"): Bar(0.85, 0.85, at_least=True),
    ("reductions", "share of the memory limit, Adafactor, 64 Mi"): Bar(0.85, 0.85, at_least=True),
    ("reductions", "share of the memory limit, Cautious AdamW, 64 Mi"): Bar(
        0.85, 0.85, at_least=True
    ),
    ("reductions", "share of the memory limit, LAMB, 300 x 4,096"): Bar(0.85, 0.85, at_least=True),
    ("reductions", "share of the memory limit, Adafactor, 300 x 4,096"): Bar(
        0.85, 0.85, at_least=True
    ),
    ("reductions", "share of the memory limit, Cautious AdamW, 300 x 4,096"): Bar(
        0.85, 0.85, at_least=True
    ),
    ("whole", "adamas / torch's three calls"): Bar(0.60, 0.65),
    ("torch", "adamas.torch / torch fused, 1,000 tensors of 256"): Bar(0.35, 0.35),
    ("torch", "adamas.torch int8 / torch fused, 1,000 tensors of 256"): Bar(0.5, 0.5),
    ("torch", "adamas.torch / torch fused, a layer of 10 parameters"): Bar(0.7, 0.7),
    ("torch", "adamas.torch int8 / torch fused, a layer of 10 parameters"): Bar(0.7, 0.7),
    ("jax", "adamas.jax / optax, over the larger of 1 and the control, 64 Mi"): Bar(1.05, 1.05),
    ("jax", "adamas.jax / optax, over the larger of 1 and the control, 300 x 4,096"): Bar(
        1.05, 1.05
    ),
    ("dense", "adamas / torch fused, of it the optimizer"): Bar(0.9, 0.9),
    ("dense", "adamas int8 / torch fused, of it the optimizer"): Bar(0.8, 0.8),
    ("memory", "adamas, peak of the process"): Bar(1.0, 1.0),
    ("memory", "adamas, peak in tracemalloc"): Bar(1.0, 1.0),
    ("bits", "adamas int8 / torch fused, 64 Mi"): Bar(0.70, 0.75),
    ("bits", "adamas bfloat16 / torch fused, 64 Mi"): Bar(0.70, 0.85),
    ("bits", "adamas int4 / torch fused, 64 Mi"): Bar(0.8, 0.8),
    ("bits", "adamas int8, bf16 p and g / torch fused bf16, 64 Mi"): Bar(0.75, 0.75),
    ("bits", "adamas int8 / torch fused, huge pages, 64 Mi"): Bar(0.7, 0.7),
    ("bits", "adamas bfloat16 / torch fused, huge pages, 64 Mi"): Bar(0.8, 0.8),
    ("bits", "adamas int4 / torch fused, huge pages, 64 Mi"): Bar(0.8, 0.8),
    ("bits", "adamas int8, bf16 p and g / torch fused bf16, huge pages, 64 Mi"): Bar(0.75, 0.75),
    ("bits", "adamas int8 / torch fused, 1 Mi"): Bar(1.1, 1.1),
    ("bits", "bitsandbytes 8-bit / adamas int8, 64 Mi"): Bar(25, 25, at_least=True),
    ("bits", "adamas int8, state"): Bar(2.2, 2.2),
    ("bits", "adamas bfloat16, state"): Bar(4.0, 4.0),
    ("bits", "adamas int4, state"): Bar(1.2, 1.2),
    ("fork", "bitsandbytes-cpu-fork 8-bit / adamas int8, 16 Mi"): Bar(8, 8, at_least=True),
    ("footprint", "adamas int8, peak of a step, 64 Mi"): Bar(1.0, 1.0),
    ("footprint", "adamas int8, peak of a step, 16 Mi"): Bar(1.0, 1.0),
}
