"""Real data: the 1,797 handwritten digits that ship in scikit-learn, and two small models for them.

Both models are one text: a chain of dense layers, so that softmax regression is the chain of one
layer.
"""

from dataclasses import replace

from adamas.lab.data.uci_digits import IMAGES, SOURCE, data
from adamas.lab.problems import Problem
from adamas.lab.zoo.about import about
from adamas.lab.zoo.dense import CLASSES, DenseTask, split

HIDDEN = 32
BATCH = 32
EPOCHS = 20
VALIDATION = 360
STEPS_PER_EPOCH = (IMAGES - VALIDATION) // BATCH


class DigitsTask(DenseTask):
    """A network with the given layer widths; the seed draws split, start and batch order."""

    def __init__(self, seed: int, widths: tuple[int, ...]) -> None:
        super().__init__(seed, split(*data(), VALIDATION, seed), widths, BATCH, CLASSES)


def _problem(name: str, widths: tuple[int, ...]) -> Problem:
    steps = EPOCHS * STEPS_PER_EPOCH
    return Problem(name, steps, STEPS_PER_EPOCH, BATCH, lambda seed: DigitsTask(seed, widths))


SOFTMAX = _problem("softmax", (64, 10))
MLP = _problem("mlp", (64, HIDDEN, 10))

# Both nets are to beat it: the first because it is larger, the second because it has no penalty.
LOGISTIC = ("loss", 0.157)

DIGITS = replace(
    MLP,
    name="digits",
    about=about("digits", "classification", LOGISTIC, sources=(SOURCE,), higher=("accuracy",)),
)
DIGITS_SOFTMAX = replace(
    SOFTMAX,
    name="digits-softmax",
    about=about(
        "digits-softmax",
        "classification",
        LOGISTIC,
        sources=(SOURCE,),
        higher=("accuracy",),
        shared="digits",
    ),
)
