"""`adamas.torch.Optimizer`: a `torch.optim.Optimizer` that hands its work to the engine.

Groups, hooks, schedulers, closures and scalers are torch's own; this class only notices what
changed since the last step, and keeps the tensors of `state` and the engine's memory the same.
"""

import threading
from collections.abc import Callable, Mapping, MutableMapping
from itertools import repeat
from operator import is_
from typing import Any

import torch
from torch.optim import optimizer as base

from adamas.engine.finite import NonFiniteError
from adamas.engine.turn import waiting
from adamas.kernel.formula import Formula
from adamas.torch import arguments, keys, options, saving
from adamas.torch import driver as layout
from adamas.torch.callers import Callers
from adamas.torch.driver import every
from adamas.torch.options import OPTIONS
from adamas.torch.plans import Plan, Plans
from adamas.torch.release import Release
from adamas.torch.signatures import Home
from adamas.torch.watch import Watch


class Optimizer(torch.optim.Optimizer):
    """Base of all classes here; `adamas.torch.optimizer` makes one from a rule.

    Takes what the class of that name in `torch.optim` takes, the rule's own names beside
    (`beta1=`), and the options of `adamas.Optimizer`: `state`, `master`, `seed`, `clip_norm`,
    `on_nonfinite`, `track_norm`, `ema`, `zero_grad_in_step`, `rows`, `threads`; `state_by_name`
    maps regular expressions, looked for in the parameters' names, to other storage of their state.
    """

    home: Home
    # True steps CPU tensors as those of other devices, which is how that is tested.
    _anywhere = False

    def __init__(self, params: Any, *args: Any, **given: Any) -> None:
        home = self.home
        self._options = {k: given.pop(k, default) for k, default in OPTIONS.items()}
        defaults = arguments.named(home, args, given)
        arguments.refuse(home, defaults)
        arguments.contradicting(defaults)
        self._start(defaults)
        options.check(self._options, self.formula)
        super().__init__(params, defaults)
        options.check_names(self._options["state_by_name"], list(layout.called(self).values()))

    def _start(self, defaults: Mapping[str, Any]) -> None:
        self._plans = Plans(self.home, defaults, self._options["ema"] is not None)
        self._plan = self._plans.of([defaults])
        arguments.numbers(self.home, self.formula, defaults)
        self._known_formats: tuple[Plan, options.Formats] | None = None
        self._core: layout.AnyCore | None = None
        self._watch = Watch(self)
        self._released: Release | None = None
        self._callers = Callers()
        # Of two threads that step one optimizer, the second waits.
        self._lock = threading.RLock()
        waiting.add(self)
        self._keys: keys.Keys = {}

    @property
    def formula(self) -> Formula:
        """The rule by which the last step went, or the next one will go."""
        return self._plan.formula

    @property
    def _step_supports_amp_scaling(self) -> bool:
        """GradScaler asks this; if so it hands over its scale and does not divide every gradient.

        As in torch only with `fused=True`, since who clips in between (Lightning) needs them
        divided; and where the step zeroes gradients, which it could not if it were left out.
        """
        if self._released is not None:
            raise RuntimeError(
                "a GradScaler needs all gradients at once, and these are released: parameters were "
                "stepped with scaled ones. Train in bfloat16, which needs no scaling."
            )
        return bool(self.defaults["fused"] or self._options["zero_grad_in_step"])

    def __repr__(self) -> str:
        """As torch writes it, and the threads that step parameters on the CPU."""
        shown = super().__repr__()
        return f"{shown.removesuffix(')')}CPU threads: {layout.threads(self).shown}\n)"

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; raises what torch raises, and ValueError for options that do not fit."""
        if isinstance(param_group, dict):
            folded = arguments.folded(self.home, param_group, self.defaults, strict=False)
            param_group.clear()
            param_group.update(folded)
            whole = {**self.defaults, **folded}
            self._fits(whole)
            self._plans.of([*self.param_groups[:1], whole])
        count = len(self.param_groups)
        super().add_param_group(param_group)
        try:
            self._check_parameters(count)
        except BaseException:
            del self.param_groups[count:]
            raise
        if not count:
            self._plan = self._plans.of(self.param_groups)

    def _check_parameters(self, first: int) -> None:
        """Raise TypeError or ValueError for a parameter that cannot be stepped as it is asked for.

        Of the groups from `first` on; frozen parameters may be of any kind.
        """
        formats = self._formats()
        for k, group in enumerate(self.param_groups[first:], first):
            computes = set()
            for p, name in zip(group["params"], layout.names(self, k), strict=True):
                if p.requires_grad and not torch.nn.parameter.is_lazy(p):
                    options.refuse_dtype(p, name)
                    computes.add(options.computed(p, formats(group, p, name)))
            rule = self._plans.of([group]).formula
            options.refuse_numbers(rule, arguments.numbers(self.home, rule, group), computes)

    def _formats(self) -> options.Formats:
        if self._known_formats is None or self._known_formats[0] is not self._plan:
            self._known_formats = self._plan, options.formats(self._options, self.formula)
        return self._known_formats[1]

    def _fits(self, group: Mapping[str, Any]) -> None:
        """Raise ValueError or TypeError unless this optimizer can do what a group says."""
        arguments.refuse(self.home, group)
        arguments.check_keys(self.home, group, OPTIONS)
        arguments.numbers(self.home, self._plans.of([group]).formula, group)
        if "state" in group:
            options.check_state(group["state"], self.formula, self._options["master"])
        name = "initial_accumulator_value"
        if name in self.defaults and group.get(name) != self.defaults[name]:
            raise ValueError(f"{name} must be the same for all groups; make two optimizers.")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; returns what `closure` returns.

        Raises `adamas.NonFiniteError` if a gradient holds NaN or infinity. With
        `on_nonfinite="guard"` the step is done but for the blocks of 128 elements that hold one
        (single elements of parameters that are not on the CPU): they, their state and their part of
        the gradient stay as they were, and the error's `left` says how many. With "raise", with
        `clip_norm`, and where a rule sets something up at a first step, all gradients are read
        first; where gradients are read first nothing was changed, and `left` is 0.
        """
        if (
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or base._global_optimizer_pre_hooks
            or base._global_optimizer_post_hooks
            or torch.autograd.profiler._is_profiler_enabled
        ):
            return self._observed() if closure is None else self._observed(closure)
        return self._step(closure)

    # Torch would wrap `step` in a profiler's region and its hooks, which cost more than a small
    # step; `step` above does so only if there is somebody to see it.
    step.hooked = True  # type: ignore[attr-defined]

    def _step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._update()
        return loss

    @base.Optimizer.profile_hook_step
    def _observed(self, closure: Callable[[], Any] | None = None) -> Any:
        return self._step(closure)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _update(self) -> None:
        with self._lock:
            self._step_once()

    def _step_once(self) -> None:
        if self._released is not None and not self._released.end():
            return
        scale = 1.0
        if "found_inf" in self.__dict__:
            scaler = self.__dict__.get("grad_scale")
            scale = 1.0 if scaler is None else float(scaler)
            if self.__dict__["found_inf"] is not None and float(self.__dict__["found_inf"]):
                if self._options["zero_grad_in_step"]:
                    self.zero_grad(set_to_none=False)
                return
        tensors = self._watch.gradients()
        if tensors is None:
            layout.rebuild(self, self.state)
            tensors = self._watch.gradients()
            assert tensors is not None
        if self._core is None or all(map(is_, tensors, repeat(None))):
            return
        if not self._watch.refresh(self._core):
            self._core.sync()
            layout.rebuild(self, self.state)
            # A parameter that has no state any more, and no gradient, is no longer among them.
            tensors = self._watch.gradients()
            assert tensors is not None
            self._watch.refresh(self._core)
        try:
            done = self._core.step(tensors, self._options["clip_norm"], scale)
        except NonFiniteError as error:
            if error.left:
                self._follow(self._core, tensors, done=True)
            raise
        self._follow(self._core, tensors, done)

    def _follow(self, core: layout.AnyCore, tensors: list[torch.Tensor | None], done: bool) -> None:
        """What comes after a step that was done, or left out by "skip"."""
        if done:
            self._callers.stepped()
            if self._options["rows"] is None and core.behind:
                core.sync()
        else:
            self._callers.skipped(self)
        layout.publish(self, core)
        if self._options["zero_grad_in_step"]:
            self._watch.zero_sparse(tensors)

    def sync(self) -> None:
        """Bring the rows of sparse parameters up to date; see `rows="exact"`."""
        with self._lock:
            if self._released is not None:
                self._released.sync()
            if self._core is not None:
                layout.publish(self, self._core)
            if self._core is not None and self._core.behind:
                if self._watch.gradients() is None:
                    layout.rebuild(self, self.state)
                self._core.sync()

    @property
    def grad_norm(self) -> float:
        """Norm of all gradients before clipping at the last step; NaN if nothing asked for it."""
        return self._core.grad_norm if self._core else float("nan")

    @property
    def skipped(self) -> int:
        """Steps that `on_nonfinite="skip"` left out."""
        return self._core.skipped if self._core else 0

    @property
    def storage(self) -> dict[str, dict[str, str]]:
        """The storage format of every state of every trained parameter, by its name."""
        formats, called = self._formats(), self._plan.names.torch
        return {
            name: {
                called[state]: form
                for state, form in formats(self.param_groups[k], p, name).items()
            }
            for k, p, name in every(self)
            if p.requires_grad
        }

    def values(self, parameter: torch.Tensor | str) -> dict[str, torch.Tensor]:
        """The states of a parameter, or of its name, as numbers: copies, decoded from codes.

        Raises ValueError for a parameter that is not one of this optimizer's.
        """
        found = [p for _, p, name in every(self) if p is parameter or name == parameter]
        if not found:
            shown = parameter if isinstance(parameter, str) else tuple(parameter.shape)
            listed = ", ".join(name for _, _, name in every(self)[:8])
            raise ValueError(f"no parameter {shown!r}; there are {listed}.")
        with self._lock:
            self._laid_out()
            live = self._core.live if self._core else ()
            place = next((k for k, one in enumerate(live) if one.parameter is found[0]), None)
            if self._core is None or place is None:
                return {}
            numbers = self._core.decoded(place)
            return {key: numbers[key] for key in self._plan.names.torch.values()}

    def _laid_out(self) -> None:
        """Have an engine that is up to date with everything there is."""
        if self._core is None or self._watch.gradients() is None:
            layout.rebuild(self, self.state)
        self.sync()

    def state_dict(self) -> dict[str, Any]:
        """The state as `torch.optim` writes it, readable by the class of that name there."""
        with self._lock:
            self.sync()
            return saving.state_dict(self)

    def torch_state_dict(self) -> dict[str, Any]:
        """The same with few-bit state decoded, so that `torch.optim` can read it."""
        with self._lock:
            self._laid_out()
            return saving.state_dict(self, decode=True)

    def load_state_dict(self, state_dict: MutableMapping[str, Any]) -> None:
        """Go on from a state dict of this class or of `torch.optim`; see `adamas.torch.saving`."""
        with self._lock:
            saving.load_state_dict(self, state_dict)

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: everything but the engine, which is laid out again."""
        self.sync()
        return {**super().__getstate__(), "_options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._start(self.defaults)
        self._plan = self._plans.of(self.param_groups)
