"""Does few-bit optimizer state track float32? Real trainings with paired seeds.

`python -m benchmarks.fidelity` trains every side on the same initial parameters and the same
batches for each seed, so that a difference between two sides is the work of their state alone. It
writes `benchmarks/results/fidelity.json`, `benchmarks/FIDELITY.md` and `docs/few-bits.png`.
"""

import os

# Before NumPy and torch are loaded: on small models a second thread only costs time.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
