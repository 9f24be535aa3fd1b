"""Real data: the 1,797 handwritten digits that ship in scikit-learn, and two small models for them.

Both models are one text: a chain of dense layers, so that softmax regression is the chain of one
layer.
"""

from dataclasses import replace

from adamas.lab.data.digits import IMAGES, SOURCE, data
from adamas.lab.problems import About, Problem, Quality, Words
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

LOSS = {
    "en": "cross-entropy on 360 held-out images, in nats",
    "zh": "360 幅留出图像上的交叉熵（奈特）",
}
# Both nets are to beat it: the first because it is larger, the second because it has no penalty.
LOGISTIC = Quality(
    "loss",
    0.157,
    {
        "en": "mean over seeds 0-4 of scikit-learn's LogisticRegression on the same splits",
        "zh": "scikit-learn 的 LogisticRegression 在相同划分（种子 0–4）上的均值",
    },
)


def _about(model: Words) -> About:
    return About(
        title={"en": "Handwritten digits, 8x8 pixels", "zh": "手写数字，8x8 像素"},
        kind="classification",
        model=model,
        loss=LOSS,
        sources=(SOURCE,),
        quality=LOGISTIC,
        higher=("accuracy",),
    )


DIGITS = replace(
    MLP,
    name="digits",
    about=_about(
        {"en": "network 64-32-10 with ReLU", "zh": "64-32-10 网络（ReLU）"},
    ),
)
DIGITS_SOFTMAX = replace(
    SOFTMAX,
    name="digits-softmax",
    about=_about(
        {"en": "softmax regression, 64 x 10 weights", "zh": "softmax 回归，64 x 10 个权重"}
    ),
)
