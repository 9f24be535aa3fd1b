"""Real ratings: MovieLens-100k, as the package RecBole ships it."""

from functools import cache

import numpy as np

from adamas.lab.data.shipped import checked, package_file
from adamas.lab.needs import UnavailableError
from adamas.lab.problems import Batch, Source

MOVIELENS = Source(
    "MovieLens-100k: 100,000 ratings of 1,682 films by 943 people",
    "recbole",
    "GroupLens: no redistribution and no commercial use without permission; read from RecBole",
    "F. M. Harper and J. A. Konstan, The MovieLens Datasets: History and Context, ACM Transactions "
    "on Interactive Intelligent Systems 5 (2015) 19:1-19:19",
    "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
)
PEOPLE, FILMS = 943, 1682


@cache
def movielens() -> Batch:
    """Return (person, film), int64 from 0, shape (100000, 2), and ratings 1..5, float32.

    `UnavailableError` names the command to install RecBole's files without what it needs to run.
    """
    try:
        content = package_file("recbole", "dataset_example/ml-100k/ml-100k.inter")
    except UnavailableError as error:
        raise UnavailableError("ratings") from error
    lines = checked(content, MOVIELENS.sha256, "ml-100k.inter").decode().partition("\n")[2]
    table = np.array(lines.split(), np.float64).reshape(-1, 4)
    return table[:, :2].astype(np.int64) - 1, table[:, 2].astype(np.float32)
