"""Regression on real tables: patients (linear) and diamonds (a small network)."""

from adamas.lab.data import tables
from adamas.lab.problems import About, Batch, Problem, Quality
from adamas.lab.zoo.dense import VALUES, DenseTask, split, standardised

PATIENTS_HELD, PATIENTS_BATCH = 89, 32
DIAMONDS_HELD, DIAMONDS_BATCH = 10_752, 128
SCALED = {
    "en": "mean squared error of the standardised target: 1 is what the training mean would get",
    "zh": "标准化目标的均方误差：始终预测训练均值时为 1",
}


def _tables(data: Batch, held: int, seed: int) -> tuple[Batch, Batch]:
    """Split a table and standardise both its columns and its target."""
    (x, y), (x_held, y_held) = split(*data, held, seed)
    x, x_held = standardised(x, x_held)
    y, y_held = standardised(y, y_held)
    return (x, y), (x_held, y_held)


def diabetes(seed: int) -> DenseTask:
    """Return linear regression on 353 patients, judged on 89 others."""
    data = _tables(tables.diabetes(), PATIENTS_HELD, seed)
    return DenseTask(seed, data, (10, 1), PATIENTS_BATCH, VALUES)


def diamonds(seed: int) -> DenseTask:
    """Return a network of 32 hidden units on 43,020 diamonds, judged on 10,752 others."""
    data = _tables(tables.diamonds(), DIAMONDS_HELD, seed)
    return DenseTask(seed, data, (9, 32, 1), DIAMONDS_BATCH, VALUES)


DIABETES = Problem(
    "diabetes",
    660,
    22,
    PATIENTS_BATCH,
    diabetes,
    about=About(
        title={
            "en": "Disease progression of 442 diabetes patients",
            "zh": "442 名糖尿病患者的病情进展",
        },
        kind="regression",
        model={"en": "linear regression, 10 weights", "zh": "线性回归，10 个权重"},
        loss=SCALED,
        sources=(tables.DIABETES,),
        quality=Quality(
            "loss",
            0.52,
            {
                "en": "2 % above 0.509, the mean over seeds 0-9 of scikit-learn's "
                "LinearRegression on the same splits",
                "zh": "scikit-learn 的 LinearRegression 在相同划分（种子 0–9）上的均值为 0.509，"
                "目标比它高 2 %",
            },
        ),
        higher=("r2",),
    ),
)
DIAMONDS = Problem(
    "diamonds",
    1680,
    56,
    DIAMONDS_BATCH,
    diamonds,
    about=About(
        title={"en": "Prices of 53,772 diamonds", "zh": "53,772 颗钻石的价格"},
        kind="regression",
        model={
            "en": "network 9-32-1 with ReLU on weight, cut, colour, clarity and size",
            "zh": "以重量、切工、颜色、净度和尺寸为输入的 9-32-1 网络（ReLU）",
        },
        loss={
            "en": "mean squared error of the standardised logarithm of the price",
            "zh": "标准化对数价格的均方误差",
        },
        sources=(tables.DIAMONDS,),
        quality=Quality(
            "loss",
            0.017,
            {
                "en": "mean over seeds 0-2 of scikit-learn's MLPRegressor: same network, splits, "
                "batch size and 5 epochs, its own Adam at its defaults; LinearRegression has "
                "0.0212, HistGradientBoostingRegressor 0.0080",
                "zh": "scikit-learn 的 MLPRegressor 的均值（种子 0–2）：网络、划分、批大小和 5 轮"
                "均相同，使用其自带的默认 Adam；LinearRegression 为 0.0212，"
                "HistGradientBoostingRegressor 为 0.0080",
            },
        ),
        higher=("r2",),
        notes={
            "en": "Left out are 23 rows with impossible sizes and all repeated rows.",
            "zh": "已去除 23 行尺寸不可能的数据和所有重复行。",
        },
    ),
)
