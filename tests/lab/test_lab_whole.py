"""Hyper-parameters that are whole numbers, in a search."""

import pytest

from adamas.lab.entrants import entrant
from adamas.lab.protocol.space import space

pytest.importorskip("torch")


def test_whole_numbers_are_searched_as_such() -> None:
    """Where the default is a whole number only those are tried; 0 may stand for 0.0."""
    asked = {"max_iter": (1.0, 20.0), "weight_decay": (0.0, 1.0)}
    found = space(asked, [entrant("torch.optim.LBFGS"), entrant("torch.optim.SGD")], 9, 2)
    assert found is not None
    (count,) = found.dimensions["torch.optim.LBFGS"]
    values = [count.at(share) for share in (0.0, 0.2, 0.5, 0.8, 1.0)]
    assert values == [1, 2, 4, 11, 20]  # 20^share, rounded
    assert all(isinstance(value, int) for value in values)
    (decay,) = found.dimensions["torch.optim.SGD"]
    assert decay.at(0.5) == 0.5
