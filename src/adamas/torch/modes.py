"""Optimizers whose parameters are trained at one point and evaluated at another.

Schedule-free ones take gradients at y and are evaluated, and saved, at the average x. As in the
authors' `schedulefree`, `train()` and `eval()` move the parameters from one to the other;
Accelerate and Hugging Face's Trainer call them.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any

import torch

from adamas.torch.base import Optimizer
from adamas.torch.driver import trains


class Averaging(Optimizer):
    """Begins in eval mode, as the authors' class does: call `train()` before the first step.

    Every group says in `train_mode` where its parameters are, in files too.
    """

    def _start(
        self, defaults: Mapping[str, Any], taken: Mapping[str, Any], rules: Mapping[str, Any]
    ) -> None:
        super()._start(defaults, taken, rules)
        self._trained: dict[torch.Tensor, torch.Tensor] = {}

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, in the mode of the others; raises what `Optimizer` raises."""
        if isinstance(param_group, dict):
            param_group.setdefault("train_mode", any(map(trains, self.param_groups)))
        super().add_param_group(param_group)

    @torch.no_grad()
    def eval(self) -> None:
        """Put the averages into the parameters; a second time does nothing.

        Where training was is kept beside them until `train()`, which brings back its bits.
        """
        self.sync()
        for group in filter(trains, self.param_groups):
            for p in group["params"]:
                if (z := self._sequence(p)) is not None:
                    self._trained[p] = p.detach().clone()
                    p.copy_(self._average(group, p, z))
            group["train_mode"] = False

    @torch.no_grad()
    def train(self) -> None:
        """Put the parameters where gradients are taken; a second time does nothing.

        Where they are no longer what `eval` made of them (weights were loaded), that point is
        computed from what they are: Defazio et al. 2024, Algorithm 1, the line for y.
        """
        for group in self.param_groups:
            for p in () if trains(group) else group["params"]:
                if (z := self._sequence(p)) is not None:
                    before = self._trained.get(p)
                    if before is None or not torch.equal(p, self._average(group, before, z)):
                        before = torch.lerp(z, p.to(z.dtype), self._beta(group))
                        if "p.rest" in self.state[p]:
                            self.state[p]["p.rest"].zero_()
                    p.copy_(before)
            group["train_mode"] = True
        self._trained.clear()

    def _sequence(self, p: torch.Tensor) -> torch.Tensor | None:
        """The iterates z of a parameter, or None before its first step."""
        entry = self.state.get(p, {})
        if not entry.get("step", 0):
            return None
        return self.values(p)["z"] if "z.scale" in entry else entry.get("z")

    def _average(self, group: Mapping[str, Any], y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        assert self.signature.average is not None
        found: torch.Tensor = self.signature.average(y.to(z.dtype), z, beta1=self._beta(group))
        return found.to(y.dtype)

    def _beta(self, group: Mapping[str, Any]) -> float:
        beta1 = float(self.signature.hyper("beta1", group))
        if beta1 == 0:
            name, what = self.signature.name, "the average cannot be had of what is trained"
            raise ValueError(f"{name} with a beta1 of 0: {what}; choose one above 0.")
        return beta1

    def _update(self) -> None:
        self._driver.check_mode()
        super()._update()

    def load_state_dict(self, state_dict: MutableMapping[str, Any]) -> None:
        """Go on from a state dict, in its mode; without one it was written while training."""
        groups = state_dict.get("param_groups") if isinstance(state_dict, Mapping) else None
        if isinstance(groups, list | tuple):
            told = [{"train_mode": True, **g} if isinstance(g, Mapping) else g for g in groups]
            state_dict = {**state_dict, "param_groups": told}
        super().load_state_dict(state_dict)
        self._trained.clear()

    def __getstate__(self) -> dict[str, Any]:
        """What `Optimizer` copies, and where training was meanwhile."""
        return {**super().__getstate__(), "_trained": self._trained}

    def __setstate__(self, state: dict[str, Any]) -> None:
        trained = state.get("_trained", {})
        super().__setstate__(state)
        self._trained = trained
