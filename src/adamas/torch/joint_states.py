"""The states of tensors of several rules, by their places among all."""

from collections.abc import Mapping, Sequence

import torch

from adamas.torch.tensor_states import TensorStates


class JointStates:
    """What `TensorStates` is for one rule; tensor i of `parts[n]` stands at `places[n][i]`."""

    def __init__(self, parts: Sequence[TensorStates], places: Sequence[Sequence[int]]) -> None:
        pairs = zip(parts, places, strict=True)
        self._at = {k: (part, i) for part, own in pairs for i, k in enumerate(own)}
        self.of = [part.of[i] for _, (part, i) in sorted(self._at.items(), key=lambda one: one[0])]
        self.noted = [self._at[k][0].noted[self._at[k][1]] for k in sorted(self._at)]
        self.asks_first = any(part.asks_first for part in parts)

    def rounded(self, k: int) -> list[str]:
        """What of parameter k is rounded, in the order in which kernels number it."""
        return self._at[k][0].rounded(self._at[k][1])

    def sums(self, k: int) -> bool:
        """Whether the rule of parameter k sums over it."""
        return self._at[k][0].sums(self._at[k][1])

    def update(
        self, k: int, scaled: torch.Tensor, mask: torch.Tensor | None, hypers: Mapping[str, float]
    ) -> tuple[dict[str, float], torch.Tensor | None]:
        """Step parameter k but for what is in `mask`; see `TensorStates.update`."""
        part, i = self._at[k]
        return part.update(i, scaled, mask, hypers)

    def count(self, k: int, following: Mapping[str, float]) -> None:
        """Count a step of parameter k."""
        part, i = self._at[k]
        part.count(i, following)
