"""One object notices what changed since the last step, lays out the engine and steps.

A driver has an owner, whose groups and state it looks up anew each time, because both may be
replaced. An optimizer is the owner of one; so is every parameter whose gradient is released.
"""

import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from operator import is_
from typing import Any, Protocol

import torch

from adamas.engine.cpus import Threads, taken
from adamas.engine.finite import NonFiniteError
from adamas.engine.threads import Action, straight
from adamas.engine.turn import waiting
from adamas.torch import arguments, rounding_keys
from adamas.torch.called import every, named
from adamas.torch.engines import Engine, Live
from adamas.torch.joint_engine import JointEngine
from adamas.torch.kernel_engine import KernelEngine
from adamas.torch.making import made
from adamas.torch.plans import Entries, GroupPlans, Plans
from adamas.torch.scheduled import KEY, Scheduled
from adamas.torch.states import steps_done
from adamas.torch.watch import Owner, Watch


class Released(Protocol):
    """What steps each gradient as soon as it is complete, in between the calls of `step`.

    `begun` says that this iteration has stepped some.
    """

    begun: bool

    def end(self) -> bool:
        """End an iteration; whether gradients are left for an ordinary step."""

    def sync(self) -> None:
        """Do the steps that rows have missed."""


class Driver:
    """Steps the parameters of `owner` by the rules that their groups choose among `plans`.

    `plan` is the rule of the last step, or of the next one before the first; `engine` what steps,
    or None before there is anything to step. `seed` is that of all rounding at random. `released`
    steps gradients in the backward pass, if anything does; `loads` counts the states that were
    loaded.
    """

    def __init__(
        self, owner: Owner, plans: Plans, plan: GroupPlans, seed: int, lock: Any = None
    ) -> None:
        # Weakly: an optimizer that nobody uses any more is gone at once, not at some collection.
        self.owner: Owner = weakref.proxy(owner)
        self.signature, self.options = plans.signature, plans.given
        self.of = plans.rules.of
        self.plans, self.plan, self.seed = plans, plan, seed
        self.rounding_keys: rounding_keys.Keys = {}
        self.released: Released | None = None
        self.loads = 0
        self.scheduled = Scheduled(self.of)
        # True steps CPU tensors as those of other devices, which is how that is tested.
        self.anywhere = False
        # Of two threads that step one optimizer, the second waits.
        self.lock = lock or threading.RLock()
        waiting.add(self)
        self.forget()

    def forget(self) -> None:
        """Lay the engine out anew at the next step; rows must be up to date."""
        self.engine: Engine | None = None
        self._watch = Watch(self.owner, self.plans.rules.keys)

    def beside(self, owner: Owner, group: int) -> "Driver":
        """A driver of a parameter of a group, by its rule, with the same options, lock and keys."""
        plan = self.plans.of([self.owner.param_groups[group]])
        made = Driver(owner, self.plans, plan, self.seed, self.lock)
        made.anywhere, made.rounding_keys = self.anywhere, self.rounding_keys
        return made

    @property
    def threads(self) -> Threads:
        """How many threads the parameters on the CPU are stepped with, or would be now."""
        if isinstance(self.engine, KernelEngine | JointEngine):
            return self.engine.threads
        return taken(self.options["threads"], torch.get_num_threads())

    def check_mode(self) -> None:
        """Raise RuntimeError where parameters are not the points that gradients are taken at."""
        if self.signature.average and not all(map(trains, self.owner.param_groups)):
            raise RuntimeError(
                f"{self.signature.name} is in eval mode, where parameters are the averages to "
                "evaluate; call optimizer.train() before training, and optimizer.eval() before "
                "evaluating or saving the model."
            )

    def step(self, loss_scale: float = 1.0) -> bool | None:
        """Update every parameter that has a gradient; None if none has, False if it was skipped.

        Raises what `Optimizer.step` raises.
        """
        tensors, engine = self._gradients(), self.engine
        if engine is None or all(map(is_, tensors, repeat(None))):
            return None
        if not (self.released and self.released.begun):
            self.schedule()
        changed = self._watch.changed()
        if changed and not self._took(engine, changed):
            engine.sync()
            self.rebuild(self.owner.state)
            # A parameter that has no state any more, and no gradient, is no longer among them.
            tensors, engine = self._gradients(), self.engine
            assert engine is not None
            self._took(engine, self._watch.changed())
        try:
            done = engine.step(tensors, self.options["clip_norm"], loss_scale)
        except NonFiniteError as error:
            if error.left:
                self._follow(engine, tensors, done=True)
            raise
        self._follow(engine, tensors, done)
        if self.released:
            self.released.begun = False
        return done

    def schedule(self) -> None:
        """Put the numbers of the next step into the groups that have schedules."""
        groups = self.owner.param_groups
        if any(KEY in group for group in groups):
            entries = () if self.engine else filter(None, self.owner.state.values())
            steps = self.engine.steps if self.engine else max(map(steps_done, entries), default=0)
            self.scheduled.set(groups, steps + 1)

    def lift(self) -> None:
        """Take schedules that somebody has set in place of numbers."""
        for group in self.owner.param_groups:
            self.scheduled.lift(group)

    def _gradients(self) -> list[torch.Tensor | None]:
        """The gradients of the live parameters, with an engine that is laid out for them."""
        found = self._watch.gradients()
        if found is None:
            self.rebuild(self.owner.state)
            found = self._watch.gradients()
            assert found is not None
        return found

    def _took(self, engine: Engine, changed: Sequence[int]) -> bool:
        """Give the engine the settings of groups that were changed; False if they ask for another.

        Raises what `Plans.check_group` raises.
        """
        groups = self.owner.param_groups
        for k in changed:
            signature = self.of(groups[k])
            # What somebody set under the rule's own names is put under torch's.
            if (signature.sources.keys() - signature.defaults.keys()) & groups[k].keys():
                folded = arguments.folded(signature, groups[k], groups[k], strict=False)
                groups[k].clear()
                groups[k].update(folded)
            if self.scheduled.lift(groups[k]):
                self.schedule()
            self.plans.check_group(groups[k])
        if self.plans.of(groups) is not self.plan or self._watch.stored_otherwise():
            return False
        for k in changed:
            engine.set(k, self.plan.each[k].numbers(groups[k]))
            self._watch.saw(k)
        return True

    def _follow(self, engine: Engine, tensors: list[torch.Tensor | None], done: bool) -> None:
        """What comes after a step that was done, or left out by "skip"."""
        if done and self.options["rows"] is None and engine.behind:
            engine.sync()
        self._publish(engine)
        if self.options["zero_grad_in_step"]:
            self._watch.zero_sparse(tensors)

    def sync(self) -> None:
        """Bring the state, and the rows of sparse parameters, up to date."""
        if self.engine is not None:
            self._publish(self.engine)
            if self.engine.behind:
                self._gradients()
                self.engine.sync()

    def lay_out(self) -> None:
        """Have an engine for everything there is."""
        if self.engine is None:
            self.rebuild(self.owner.state)
        else:
            self._gradients()

    def assign_keys(self) -> None:
        """Choose what all parameters are rounded by, which depends on their places, now."""
        pairs, state = named(self.owner.param_groups), self.owner.state
        keys = rounding_keys.assigned(pairs, self.rounding_keys, state, self.seed)
        rounding_keys.hold(keys, self.seed, self)
        self.rounding_keys = keys

    # State made inside somebody's inference_mode must be usable outside of it.
    @torch.inference_mode(False)
    def rebuild(
        self,
        entries: Entries,
        loaded: tuple[GroupPlans, int] | None = None,
        after: Sequence[Action] = (),
    ) -> None:
        """Lay out the engine anew with the state of `entries`, and do `after`; on an error nothing.

        Of live state what others keep there stays there. With `loaded`, a plan and a seed, the
        entries are from a file, copied, and refused if they hold more than this optimizer keeps.
        """
        groups, share = self.owner.param_groups, loaded is None
        if share:
            self.lift()
        plan, seed = loaded or (self.plans.of(groups), self.seed)
        aside: dict[Any, Any] = {}
        if share:
            if self.engine is not None:
                self._publish(self.engine)
            aside = {p: odd for p, odd in plan.strangers(groups, self.owner.state) if odd}
            own = {p: {k: v for k, v in entries[p].items() if k not in aside[p]} for p in aside}
            entries = {**entries, **own} if aside else entries
            entries = plan.switched(entries, groups, self.plan)
        keys = rounding_keys.assigned(named(groups), self.rounding_keys, entries, seed)
        live = [
            Live(p, label, k, keys[p])
            for k, p, label in every(groups)
            if p.grad is not None or entries.get(p)
        ]
        engine = None
        if live:
            engine = made(plan, seed, groups, live, entries, share, self.anywhere)
            if share and self.engine is not None:
                engine.inherit(self.engine)
            if engine.rounds and keys != self.rounding_keys:
                rounding_keys.hold(keys, seed, self)
                self.rounding_keys = keys
        actions = list(self._handed(engine, entries if share else {}, aside))
        news = {"engine": engine, "plan": plan, "seed": seed, "loads": self.loads + (not share)}
        # An exception of a signal handler in between would leave entries without their state.
        straight([*actions, partial(vars(self).update, news), *after])
        self._watch.learn(engine, {p: frozenset(odd) for p, odd in aside.items()})

    def refill(
        self, entries: Entries, loaded: tuple[GroupPlans, int], after: Sequence[Action]
    ) -> bool:
        """Put the state of a file into the tensors that are there, and do `after`; all or nothing.

        False, with nothing done, unless all of it is kept here as the file has it: then `rebuild`
        makes it anew, beside what there is.
        """
        engine, (plan, seed) = self.engine, loaded
        if (
            not isinstance(engine, KernelEngine | JointEngine)
            or plan is not self.plan
            or seed != self.seed
        ):
            return False
        known = {one.parameter for one in engine.live} == {p for p in entries if entries[p]}
        if not known or self._watch.foreign or self._watch.gradients() is None:
            return False
        pairs, keys = named(self.owner.param_groups), self.rounding_keys
        if engine.rounds and rounding_keys.assigned(pairs, keys, entries, seed) != keys:
            return False
        if (actions := engine.out_of_a_file(entries)) is None:
            return False
        straight([*actions, partial(vars(self).update, {"loads": self.loads + 1}), *after])
        return True

    def _handed(self, engine: Engine | None, entries: Entries, aside: Entries) -> Iterator[Action]:
        """The actions that put an engine's state into the owner's, beside what is `aside` there.

        Parameters whose entries are empty and that it does not step have no state any more.
        """
        state, live = self.owner.state, engine.live if engine else ()
        ended = [p for p, entry in entries.items() if isinstance(entry, dict) and not entry]
        for k, one in enumerate(live):
            entry, made = state[one.parameter], engine.entry(k) if engine else {}
            yield entry.clear
            yield partial(entry.update, {**made, **aside.get(one.parameter, {})})
        for p in filter(state.get, ended):
            if all(one.parameter is not p for one in live):
                yield partial(state.__setitem__, p, aside.get(p, {}))

    def _publish(self, engine: Engine) -> None:
        """Keep in the state which rows were stepped, where that began or ended with a step.

        Asked again before state is read, because a signal handler may have raised after the step.
        """
        if found := engine.news():
            same = self._watch.gradients() is not None
            actions: list[Action] = []
            for p, stepped in found.items():
                if (entry := self.owner.state.get(p)) is not None:
                    given = {} if stepped is None else {"stepped": stepped}
                    actions += [partial(entry.pop, "stepped", None), partial(entry.update, given)]
            straight([*actions, engine.published])
            if same:
                self._watch.learn(engine, self._watch.foreign)


def trains(group: Mapping[str, Any]) -> bool:
    """Whether a group whose rule averages has its parameters where gradients are taken."""
    return bool(group.get("train_mode"))
