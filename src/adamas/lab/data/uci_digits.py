"""The 1,797 handwritten digits of 8x8 pixels that ship in scikit-learn."""

from functools import cache

import numpy as np

from adamas.lab.data.shipped import checked_arrays
from adamas.lab.problems import Batch, Source

IMAGES = 1797
SHA256 = "65e5b4619795efb40c1082f4c350c049e4ad552200d369b6ae99e21eef5e72c5"

SOURCE = Source(
    "Optical recognition of handwritten digits: 1,797 images of 8x8 pixels by 13 writers",
    "scikit-learn",
    "shipped under BSD-3-Clause",
    "E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository, doi:10.24432/C50P49",
    SHA256,
)


@cache
def data() -> Batch:
    """Return images as float32 in 0..1, shape (1797, 64), and labels 0..9, shape (1797,)."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    pixels, labels = x.astype(np.uint8), y.astype(np.int64)
    checked_arrays((pixels, labels), SHA256, "scikit-learn: digits")
    return pixels.astype(np.float32) / 16, labels
