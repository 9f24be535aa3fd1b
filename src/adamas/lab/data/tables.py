"""Real tables: diabetes and breast cancer from scikit-learn, diamonds from plotnine's files."""

from csv import reader
from functools import cache

import numpy as np

from adamas.lab.data.shipped import checked, checked_arrays, package_file
from adamas.lab.problems import Batch, Source

DIABETES = Source(
    "Diabetes progression: 442 patients, 10 measurements",
    "scikit-learn",
    "shipped under BSD-3-Clause",
    "B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least Angle Regression, "
    "Annals of Statistics 32 (2004) 407-499",
    "e9c1f7559552854a24dc45b41c446ce5f79f96e5da081bcce24b57492720b3f7",
)
BREAST_CANCER = Source(
    "Breast cancer Wisconsin (diagnostic): 569 tumours, 30 measurements",
    "scikit-learn",
    "shipped under BSD-3-Clause",
    "W. N. Street, W. H. Wolberg and O. L. Mangasarian, Nuclear feature extraction for breast "
    "tumor diagnosis, Proc. SPIE 1905 (1993) 861-870; UCI Machine Learning Repository",
    "cdd5f37c36cbdfc2e5ee074cec7540fac54340874afb25917a673e446270d0d0",
)
DIAMONDS = Source(
    "Prices of 53,940 round cut diamonds",
    "plotnine",
    "shipped under MIT",
    "H. Wickham, ggplot2: Elegant Graphics for Data Analysis, Springer 2016, data set `diamonds`",
    "9574730b03aba241d899c4a97511c5061b19358fab89510774fb6c24168345c4",
)
# Worst first, as the data set's description orders them.
CUTS = ("Fair", "Good", "Very Good", "Premium", "Ideal")
COLOURS = tuple("JIHGFED")
CLARITIES = ("I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF")
# No diamond of this table is that long: one beyond it weighs 2 carats and is said to be 6 cm wide.
LONGEST = 20.0


@cache
def diabetes() -> Batch:
    """Return measurements in their own units, float64 (442, 10), and progression, (442, 1)."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True, scaled=False)
    checked_arrays((x, y), DIABETES.sha256, "scikit-learn: diabetes")
    return x, y[:, None]


@cache
def breast_cancer() -> Batch:
    """Return measurements, float64 (569, 30), and 1.0 benign or 0.0 malignant, (569,)."""
    from sklearn.datasets import load_breast_cancer

    x, labels = load_breast_cancer(return_X_y=True)
    y = labels.astype(np.float64)
    checked_arrays((x, y), BREAST_CANCER.sha256, "scikit-learn: breast_cancer")
    return x, y


@cache
def diamonds() -> Batch:
    """Return features, float64 (53772, 9), and natural logarithms of dollars, (53772, 1).

    Features are log carat, cut, colour and clarity (0 = worst), depth, table, and x, y, z in mm.
    Left out are 23 rows with a side of 0 or above 20 mm and every repetition of an earlier row,
    which could stand on both sides of a split.
    """
    content = checked(package_file("plotnine", "data/diamonds.csv"), DIAMONDS.sha256, "diamonds")
    rows = reader(content.decode().splitlines()[1:])
    numbers = np.array(
        [
            (carat, CUTS.index(cut), COLOURS.index(colour), CLARITIES.index(clarity), *others)
            for carat, cut, colour, clarity, *others in rows
        ],
        np.float64,
    )
    _, first = np.unique(numbers, axis=0, return_index=True)
    numbers = numbers[np.sort(first)]
    sides = numbers[:, -3:]
    numbers = numbers[((sides > 0) & (sides < LONGEST)).all(axis=1)]
    y = np.log(numbers[:, 6:7])
    x = np.delete(numbers, 6, axis=1)
    x[:, 0] = np.log(x[:, 0])
    return x, y
