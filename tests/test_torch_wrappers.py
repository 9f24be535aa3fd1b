"""Wrapped, proxied, split or handed foreign state: ours does in each wrapper what torch's does.

The peers are the packages themselves; a test skips where its package is not installed.
"""

import pytest
import torch

from adamas.torch import AdamW
from test_torch_ecosystem import loss_of, model

# What these packages warn of is their own business.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("scaled", [False, True], ids=["no scaler", "scaler"])
def test_accelerate_s_scheduler_waits_for_a_skipped_step(scaled: bool) -> None:
    """A step left out for a NaN is one for Accelerate, whose scheduler stays where it was."""
    accelerate = pytest.importorskip("accelerate")
    accelerator = accelerate.Accelerator(cpu=True)
    if scaled:
        accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    net = model()
    inner = AdamW(net.parameters(), lr=1.0, on_nonfinite="skip")
    scheduler = torch.optim.lr_scheduler.StepLR(inner, 1, gamma=0.5)
    net, opt, scheduler = accelerator.prepare(net, inner, scheduler)
    seen = []
    for step, factor in enumerate([1.0, torch.nan, torch.nan, 1.0, 1.0]):
        opt.zero_grad()
        accelerator.backward(loss_of(net, step) * factor)
        opt.step()
        scheduler.step()
        seen.append((opt.step_was_skipped, inner.param_groups[0]["lr"]))
    assert seen == [(False, 0.5), (True, 0.5), (True, 0.5), (False, 0.25), (False, 0.125)]
