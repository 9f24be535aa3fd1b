"""Newton-Schulz iterations towards the nearest matrix whose singular values are all 1.

X <- a X + (b A + c A A) X with A = X X^T changes every singular value s of X to a s + b s^3 + c s^5
and leaves the singular vectors as they are, so that a few products of matrices do what a singular
value decomposition would. The sets of numbers a, b, c differ in how far they go.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

Step: TypeAlias = tuple[float, float, float]

# The factor that Algorithm 1 of the Polar Express divides singular values by, except in its last
# step: rounding may have made one larger than 1.
_SAFETY = 1.01
_POLAR_EXPRESS: tuple[Step, ...] = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
    (1.8750014808534479, -1.2500016453999487, 0.3750001645474248),
)
COEFFICIENTS: dict[str, tuple[Step, ...]] = {
    "jordan": ((3.4445, -4.7750, 2.0315),) * 5,
    "quintic": (
        (4.0848, -6.8946, 2.9270),
        (3.9505, -6.3029, 2.6377),
        (3.7418, -5.5913, 2.3037),
        (2.8769, -3.1427, 1.2046),
        (2.8366, -3.0525, 1.2012),
    ),
    "polar_express": (
        *((a / _SAFETY, b / _SAFETY**3, c / _SAFETY**5) for a, b, c in _POLAR_EXPRESS),
        (1.875, -1.25, 0.375),
    ),
}
"""The steps by name.

- `jordan`: Jordan 2024, five equal steps; singular values end between 0.68 and 1.14.
- `quintic`: Cesista, You & Jordan 2025, five different steps; between 0.97 and 1.04.
- `polar_express`: Amsel et al. 2025, Algorithm 1, eight steps; 1 within rounding.

So it is for singular values from 0.01 to 1 of a matrix whose Frobenius norm was made 1; the last
set does the same from 0.001.
"""

LEAST_NORM = 1e-7
"""A matrix whose Frobenius norm is below is divided by this instead, as in `torch.optim.Muon`."""


def iterated(x: Any, coefficients: str, transpose: Callable[[Any], Any] = lambda x: x.T) -> Any:
    """The matrix `x`, of Frobenius norm at most 1, after all steps of a set; in the smaller Gram.

    For arrays of any home that has `*`, `+` and `@`; `transpose` turns one over.
    """
    rows, columns = x.shape
    for a, b, c in COEFFICIENTS[coefficients]:
        if rows > columns:
            gram = transpose(x) @ x
            x = a * x + x @ (b * gram + c * (gram @ gram))
        else:
            gram = x @ transpose(x)
            x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x


def of_one(coefficients: str) -> float:
    """What becomes of a singular value 1, the only one of a vector."""
    s = 1.0
    for a, b, c in COEFFICIENTS[coefficients]:
        s = a * s + b * s**3 + c * s**5
    return s
