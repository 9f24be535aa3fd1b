"""Gradients on other devices: as a formula computes with them, their norm, and what is not finite.

Numbers that the host needs are fetched together, so that it waits for a device once.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch

from adamas.engine.finite import Seen, find_nonfinite, quiet, too_large
from adamas.engine.peers import Peers
from adamas.kernel.runtime.scaling import lift
from adamas.torch.views import array


def real(tensor: torch.Tensor) -> torch.Tensor:
    """The numbers of a tensor; complex ones as pairs, over the same memory."""
    tensor = tensor.detach().resolve_conj()
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def wide(tensor: torch.Tensor) -> torch.Tensor:
    """Real numbers of at least 32 bits."""
    numbers = real(tensor)
    return numbers if numbers.dtype == torch.float64 else numbers.to(torch.float32)


def computes(p: torch.Tensor) -> torch.dtype:
    """The dtype of the arithmetic of a parameter."""
    return torch.float64 if p.dtype.to_real() is torch.float64 else torch.float32


def multiplied(g: torch.Tensor, factor: float, p: torch.Tensor) -> torch.Tensor:
    """The gradient of `p` times the step's factor, as the formula gets it; complex ones as pairs.

    Of a gradient wider than the arithmetic the product is rounded, as in a kernel.
    """
    numbers, dtype = wide(g), computes(p)
    numbers = numbers.to(torch.promote_types(numbers.dtype, dtype))
    first = 1.0 if numbers.dtype == torch.float64 else lift(factor)
    # Each multiplication is a pass over the gradient.
    lifted = numbers if first == 1.0 else numbers * first
    return (lifted * (factor / first)).to(dtype)


def wrong(scaled: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """Where what `multiplied` made is not finite; of a complex number both parts, or none."""
    found = ~torch.isfinite(scaled)
    return found.any(-1, keepdim=True).expand_as(found) if p.is_complex() else found


def clear(g: torch.Tensor, mask: torch.Tensor | None) -> None:
    """Set a gradient to zero but for what is in `mask`."""
    if mask is None:
        g.zero_()
    else:
        g.masked_fill_(~(mask[..., 0] if g.is_complex() else mask), 0)


def fetched(numbers: Sequence[torch.Tensor]) -> list[float]:
    """Tensors of one number each, as numbers: one wait for each device (and dtype)."""
    kinds = [(one.device, one.dtype) for one in numbers]
    found = np.zeros(len(numbers))
    for kind in dict.fromkeys(kinds):
        places = [k for k, other in enumerate(kinds) if other == kind]
        found[places] = torch.stack([numbers[k] for k in places]).tolist()
    return list(map(float, found))


@quiet
def norm(gradients: Mapping[int, torch.Tensor], tensors: int, peers: Peers) -> float:
    """The Euclidean norm of all gradients of all processes, by their places among the tensors."""
    total = peers.total(np.square(_norms(gradients.items(), tensors)))
    if total < math.inf or math.isnan(total):
        return math.sqrt(total)
    # The squares of large float32 numbers overflow.
    largest = peers.largest(float(_norms(gradients.items(), tensors, math.inf).max()))
    if not largest < math.inf:
        return largest
    parts = ((k, wide(g) / largest) for k, g in gradients.items())
    return math.sqrt(peers.total(np.square(_norms(parts, tensors)))) * largest


def _norms(
    gradients: Iterable[tuple[int, torch.Tensor]], tensors: int, order: float = 2.0
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    found = np.zeros(tensors)
    places, numbers = [], []
    for k, g in gradients:
        each, dtype = real(g), torch.promote_types(g.dtype.to_real(), torch.float32)
        if each.numel():
            places.append(k)
            numbers.append(torch.linalg.vector_norm(each, order, dtype=dtype))
    found[places] = fetched(numbers)
    return found


def holds(g: torch.Tensor, factor: float, p: torch.Tensor) -> str:
    """What the gradient of `p` holds, and where, that times `factor` is not finite or too large."""
    seen = Seen(0, array(g.detach().cpu().resolve_conj().resolve_neg()))
    compute = str(computes(p)).removeprefix("torch.")
    found = find_nonfinite([seen], factor, [compute])
    return found[1] if found else too_large(seen, "the rule", compute)
