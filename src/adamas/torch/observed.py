"""What the last step did to each parameter of an optimizer here."""

import math

from adamas.engine.observed import ADVICE, Observed, record
from adamas.torch.called import Groups, every
from adamas.torch.driver import Driver


def observed(driver: Driver, groups: Groups) -> Observed:
    """A record for each parameter that is trained; AttributeError without `observe=True`."""
    if not driver.options["observe"]:
        raise AttributeError(ADVICE)
    with driver.lock:
        engine, plans = driver.engine, driver.plan
        known = {one.parameter: k for k, one in enumerate(engine.live if engine else ())}
        found = []
        for k, p, name in every(groups):
            plan = plans.each[k]
            if engine and p in known:
                found.append(engine.record(known[p], plan.formula.name))
            elif p.requires_grad:
                lr = plan.numbers(groups[k]).get("lr", math.nan)
                found.append(record(name, p.shape, plan.formula.name, 0, lr, {}, {}))
    return Observed(found)
