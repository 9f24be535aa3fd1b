"""`adamas.torch.Optimizer`: a `torch.optim.Optimizer` that hands its work to the engine.

Groups, hooks, schedulers, closures and scalers are torch's own; this class only notices what
changed since the last step, and keeps the tensors of `state` and the engine's memory the same.
"""

import os
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import torch
from torch.optim import optimizer as base

from adamas.engine.finite import NonFiniteError
from adamas.engine.observed import Observed
from adamas.engine.routes import Routes
from adamas.files.background import Saving
from adamas.files.checkpoint import Checkpoint
from adamas.files.reading import Named
from adamas.homes.signature import Signature
from adamas.kernel.formula import Formula
from adamas.torch import arguments, files, options, products, saving, scheduled
from adamas.torch.called import called, every
from adamas.torch.callers import Callers
from adamas.torch.driver import Driver
from adamas.torch.named_rules import RULE, NamedRules
from adamas.torch.observed import observed
from adamas.torch.options import OPTIONS
from adamas.torch.plans import Plans
from adamas.torch.release import Release, obstacle
from adamas.torch.routing import grouped, table


class Optimizer(torch.optim.Optimizer):
    """Base of all classes here; `adamas.torch.optimizer` makes one from a rule.

    Takes what the class of that name in `torch.optim` takes, the rule's own names beside
    (`beta1=`), and the options of `adamas.Optimizer`: `state`, `master`, `seed`, `clip_norm`,
    `on_nonfinite`, `track_norm`, `ema`, `zero_grad_in_step`, `rows`, `threads`, `observe`;
    `state_by_name` maps regular expressions, looked for in the parameters' names, to other storage
    of their state, and `routes` maps such expressions to rules, or to dicts of a `rule` and its
    settings. A group may name its `rule`, whose settings it then has.
    """

    signature: Signature
    # Why a parameter has its rule, by its name.
    _reasons: Mapping[str, str] = {}
    # True steps CPU tensors as those of other devices, which is how that is tested.
    _anywhere = False

    def __init__(self, params: Any, *args: Any, **given: Any) -> None:
        signature = self.signature
        taken = {k: given.pop(k, default) for k, default in OPTIONS.items()}
        defaults = scheduled.lifted(signature, arguments.named(signature, args, given))
        arguments.refuse(signature, defaults)
        arguments.contradicting(defaults)
        self._start(defaults, taken, {})
        options.check(taken, self.formula)
        params = params if taken["routes"] is None else grouped(params, taken["routes"])
        super().__init__(params, defaults)
        names = list(called(self.param_groups).values())
        options.check_names(taken["state_by_name"], names)
        options.check_names(taken["split"], names, "split")

    def _start(
        self, defaults: Mapping[str, Any], taken: Mapping[str, Any], rules: Mapping[str, Any]
    ) -> None:
        plans = Plans(self.signature, defaults, taken, NamedRules(self.signature, rules))
        plan = plans.of([defaults])
        plan.first.numbers(defaults)
        self._driver = Driver(self, plans, plan, taken["seed"])
        self._driver.anywhere = self._anywhere
        self._callers = Callers()

    @property
    def formula(self) -> Formula:
        """The rule by which the last step went, or the next one will go; of the first group."""
        return self._driver.plan.first.formula

    @property
    def gradients_released(self) -> bool:
        """Whether gradients are stepped in the backward pass, see `release_gradients`."""
        return self._driver.released is not None

    @property
    def _step_supports_amp_scaling(self) -> bool:
        """GradScaler asks this; if so it hands over its scale and does not divide every gradient.

        As in torch only with `fused=True`, since who clips in between (Lightning) needs them
        divided; and where the step zeroes gradients, which it could not if it were left out.
        """
        if self.gradients_released:
            raise RuntimeError(
                "a GradScaler needs all gradients at once, and these are released: parameters were "
                "stepped with scaled ones. Train in bfloat16, which needs no scaling."
            )
        return bool(self.defaults["fused"] or self._driver.options["zero_grad_in_step"])

    def __repr__(self) -> str:
        """As torch writes it, and how parameters on the CPU are stepped."""
        lines = [f"CPU threads: {self._driver.threads.shown}"]
        if any(one.formula.orthogonalizes for one in self._driver.plan.each):
            lines.append(f"CPU products: {products.shown(self._driver.options['matmul'])}")
        return "\n".join([super().__repr__().removesuffix("\n)"), *lines, ")"])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, which may name its `rule`: a function, a formula, or one of adamas by name.

        Raises what torch raises, and TypeError or ValueError for options that do not fit.
        """
        foreign = set[str]()
        if isinstance(param_group, dict):
            foreign = self._filled(param_group)
        count = len(self.param_groups)
        super().add_param_group(param_group)
        for key in foreign:
            # What torch has put there is a default of the optimizer's own rule.
            del self.param_groups[count][key]
        try:
            self._driver.plans.check_parameters(self.param_groups, count)
        except BaseException:
            del self.param_groups[count:]
            raise
        self._driver.scheduled.saw(self.param_groups[-1])
        plans, known = self._driver.plans, self._driver.plan.each if count else ()
        self._driver.plan = plans.whole([*known, plans.of(self.param_groups[-1:]).first])

    def _filled(self, group: dict[str, Any]) -> set[str]:
        """Put into a group what it says in torch's words, and the defaults of its rule.

        The keys that are none of that rule's, and have a default of the optimizer's own.
        """
        plans = self._driver.plans
        if RULE in group:
            group[RULE] = plans.rules.add(group[RULE])
            arguments.refuse_foreign(plans.rules.taken(group), group)
        takes = plans.rules.taken(group)
        base = plans.rules.base(takes, self.defaults)
        folded = arguments.folded(takes, group, base, strict=False)
        folded = scheduled.lifted(takes, folded, base)
        whole = {**base, **folded}
        plans.check_group(whole)
        plans.of([*self.param_groups, whole])
        group.clear()
        group.update(whole if takes is not self.signature else folded)
        return self.defaults.keys() - group.keys() if takes is not self.signature else set()

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
        driver = self._driver
        with driver.lock:
            if driver.released is not None and not driver.released.end():
                return
            scale = 1.0
            if "found_inf" in self.__dict__:
                scaler = self.__dict__.get("grad_scale")
                scale = 1.0 if scaler is None else float(scaler)
                if self.__dict__["found_inf"] is not None and float(self.__dict__["found_inf"]):
                    if driver.options["zero_grad_in_step"]:
                        self.zero_grad(set_to_none=False)
                    return
            try:
                done = driver.step(scale)
            except NonFiniteError as error:
                if error.left:
                    self._callers.stepped()
                raise
            if done:
                self._callers.stepped()
            elif done is not None:
                self._callers.skipped(self)

    def sync(self) -> None:
        """Bring the rows of sparse parameters up to date; see `rows="exact"`."""
        driver = self._driver
        with driver.lock:
            if driver.released is not None:
                driver.released.sync()
            driver.sync()

    @property
    def grad_norm(self) -> float:
        """Norm of all gradients before clipping at the last step; NaN if nothing asked for it."""
        return self._driver.engine.grad_norm if self._driver.engine else float("nan")

    @property
    def skipped(self) -> int:
        """Steps that `on_nonfinite="skip"` left out."""
        return self._driver.engine.skipped if self._driver.engine else 0

    @property
    def routes(self) -> Routes:
        """By which rule each parameter is stepped, and how far at first; its text is a table."""
        return table(self._driver, self._reasons)

    @property
    def storage(self) -> dict[str, dict[str, str]]:
        """The storage format of every state of every trained parameter, by its name."""
        plans, groups = self._driver.plan, self.param_groups
        return {
            name: {plans.each[k].names.torch[state]: form for state, form in formats.items()}
            for k, p, name in every(groups)
            if p.requires_grad
            for formats in [plans.formats(groups, k, p, name)]
        }

    @property
    def observed(self) -> Observed:
        """What the last step did to each trained parameter; see `adamas.Optimizer.observed`.

        Of a DTensor it is of the whole, but for `at_floor`, which is of the codes here.
        """
        return observed(self._driver, self.param_groups)

    def values(self, parameter: torch.Tensor | str) -> dict[str, torch.Tensor]:
        """The states of a parameter, or of its name, as numbers: copies, decoded from codes.

        Raises ValueError for a parameter that is not one of this optimizer's.
        """
        found = [
            p for _, p, name in every(self.param_groups) if p is parameter or name == parameter
        ]
        if not found:
            shown = parameter if isinstance(parameter, str) else tuple(parameter.shape)
            listed = ", ".join(name for _, _, name in every(self.param_groups)[:8])
            raise ValueError(f"no parameter {shown!r}; there are {listed}.")
        with self._driver.lock:
            self._laid_out()
            engine, plans = self._driver.engine, self._driver.plan
            for k, one in enumerate(engine.live if engine else ()):
                if engine and one.parameter is found[0]:
                    numbers = engine.decoded(k)
                    return {key: numbers[key] for key in plans.each[one.group].names.torch.values()}
        return {}

    def _laid_out(self) -> None:
        """Have an engine that is up to date with everything there is."""
        self._driver.lay_out()
        self.sync()

    def state_dict(self) -> dict[str, Any]:
        """The state as `torch.optim` writes it, readable by the class of that name there."""
        with self._driver.lock:
            self.sync()
            return self._saved()

    def torch_state_dict(self) -> dict[str, Any]:
        """The same with few-bit state decoded, so that `torch.optim` can read it."""
        with self._driver.lock:
            self._laid_out()
            return self._saved(decode=True)

    def _saved(self, *, decode: bool = False) -> dict[str, Any]:
        for pre_hook in self._optimizer_state_dict_pre_hooks.values():
            pre_hook(self)
        saved = saving.state_dict(self._driver, decode=decode)
        for post_hook in self._optimizer_state_dict_post_hooks.values():
            saved = post_hook(self, saved) or saved
        return saved

    def save(
        self,
        path: str | os.PathLike[str],
        params: Mapping[Any, Any] | None = None,
        extra: Any = None,
        keep: int = 1,
        background: bool = False,
    ) -> Saving:
        """Write what `state_dict()` returns into a safetensors file; see `adamas.save`.

        `params` may be `model.state_dict()`.
        """
        with self._driver.lock:
            return files.save(self, self._driver, path, params, extra, keep, background)

    def load(self, path: str | os.PathLike[str], strict: bool = True) -> Checkpoint:
        """Go on from a file of adamas.torch or adamas: all of it, or with an error nothing.

        Parameters are matched by their names, whatever their order, or by their places where they
        have none. Missing, unknown and misshapen ones are one error that lists them; `strict=False`
        takes over what fits, and the file that is returned lists the rest. It holds `extra` and
        `params`, too, as tensors: `model.load_state_dict(file.params)`. Raises OSError, and
        ValueError with the path for a file that is malformed, of another rule, or does not fit.
        """
        with self._driver.lock:
            file, saved = files.read(self, self._driver, path, strict)
            with Named(file.path, brief=True):
                self.load_state_dict(saved)
            file.let_go()
            return file

    def load_state_dict(self, state_dict: MutableMapping[str, Any]) -> None:
        """Go on from a state dict of this class or of `torch.optim`; see `adamas.torch.saving`."""
        with self._driver.lock:
            saved = saving.opened(state_dict)
            for pre_hook in self._optimizer_load_state_dict_pre_hooks.values():
                saved = pre_hook(self, saved) or saved
            saving.load_state_dict(self._driver, saved)
            for post_hook in self._optimizer_load_state_dict_post_hooks.values():
                post_hook(self)

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: everything but the engine, which is laid out again."""
        self.sync()
        return {
            **super().__getstate__(),
            "_options": {**self._driver.options, "seed": self._driver.seed, "routes": None},
            "_rules": self._driver.plans.rules.given,
        }

    def _taken(self) -> dict[str, Any]:
        return {**self._driver.options, "seed": self._driver.seed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # Without any, as `torch.optim` itself calls it, options stay what they are.
        given, rules = vars(self).pop("_options", None), vars(self).pop("_rules", {})
        if given is None:
            given, rules = self._taken(), self._driver.plans.rules.given
        self._start(self.defaults, given, rules)
        self._driver.plan = self._driver.plans.of(self.param_groups)


def release_gradients(optimizer: Optimizer) -> Release:
    """Step each parameter of `optimizer` as soon as its gradient is complete, and free that.

    The training loop stays as it is: `optimizer.step()` ends an iteration, and steps parameters
    that still have a gradient. The bits are those of ordinary steps. A NaN or infinity is raised
    out of `backward()`, and parameters stepped before have moved: under `on_nonfinite="guard"` so
    have the finite blocks of its own, whose gradient is freed; "raise" leaves that parameter as it
    was, with its gradient.

    Raises TypeError for an optimizer of somebody else's, ValueError for what needs all gradients at
    once: `clip_norm`, `on_nonfinite="skip"`, hooks before a step, DTensors, several processes (DDP
    sums gradients after they were used). A GradScaler is refused when it steps.
    """
    if not isinstance(optimizer, Optimizer):
        kind = f"{type(optimizer).__module__}.{type(optimizer).__name__}"
        raise TypeError(f"{kind} is no optimizer of adamas.torch, whose gradients can be released.")
    driver, hooked = optimizer._driver, bool(optimizer._optimizer_step_pre_hooks)
    if reason := obstacle(driver, hooked):
        raise ValueError(f"gradients cannot be released: {reason}")
    optimizer.sync()
    driver.forget()
    driver.released = release = Release(optimizer, driver)
    return release
