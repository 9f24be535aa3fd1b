"""An optimizer without a rate in its groups, inside somebody's loop."""

from pathlib import Path

import pytest

from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from adamas.lab.own.maker import Maker

torch = pytest.importorskip("torch")
KEPT = """
import torch

class Kept(torch.optim.Optimizer):
    def __init__(self, params, lr=0.5):
        self.rate = lr
        super().__init__(params, {})

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.data -= self.rate * p.grad
"""


@pytest.mark.parametrize("course", ["", ":schedule=cosine"])
def test_a_rate_outside_the_groups_matters_to_a_course_alone(course: str, tmp_path: Path) -> None:
    """A class that keeps its rate to itself runs in a loop; only a course has to move it."""
    file = tmp_path / "kept.py"
    file.write_text(KEPT)
    weight = torch.ones(1, requires_grad=True)
    made = Maker(entrant(f"{file}:Kept{course}"), 0.25, (), 3)([weight])
    weight.grad = torch.ones(1)
    if course:
        with pytest.raises(LabError):
            made.step()
        return
    made.step()
    assert weight.item() == 0.75
