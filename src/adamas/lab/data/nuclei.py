"""Real cell nuclei with outlines drawn by people: one microscope image, as StarDist ships it."""

from functools import cache
from io import BytesIO

import numpy as np

from adamas.lab.data.glyphs import SIDE, Scenes
from adamas.lab.data.shipped import checked, package_file
from adamas.lab.needs import UnavailableError
from adamas.lab.problems import Array, Source

NUCLEI = Source(
    "125 nuclei on one image of the 2018 Data Science Bowl",
    "stardist",
    "BSD-3-Clause; the image is CC0",
    "J. C. Caicedo et al., Nucleus segmentation across imaging experiments: the 2018 Data Science "
    "Bowl, Nature Methods 16 (2019) 1247-1253",
    "980170933849d956b09e4abbde0593282555cd4ff51a5765f392f4e73f70ed0a",
)
# Halved to 256 x 256 pixels, where a nucleus is about 15 pixels wide.
WIDE = 256
HELD = 64
LEAST = 0.4


@cache
def image_and_labels() -> tuple[Array, Array]:
    """Return the image, float32 in 0..1, and the number of the nucleus at each pixel, (256, 256).

    `UnavailableError` names the command to install the files and their reader.
    """
    try:
        from tifffile import imread

        contents = [
            package_file("stardist", f"data/images/{name}2d.tif") for name in ("img", "mask")
        ]
    except (ImportError, UnavailableError) as error:
        raise UnavailableError("nuclei") from error
    checked(b"".join(contents), NUCLEI.sha256, "stardist: img2d.tif, mask2d.tif")
    image, labels = (imread(BytesIO(content)) for content in contents)
    low, high = np.percentile(image, [1, 99.8])
    scaled = np.clip((image.astype(np.float64) - low) / (high - low), 0, 1)
    halved = scaled.reshape(WIDE, 2, WIDE, 2).mean(axis=(1, 3))
    return halved.astype(np.float32), labels[::2, ::2].astype(np.int64)


def tiles(image: Array, labels: Array, corners: Array) -> Scenes:
    """Return tiles of 32 x 32 pixels at `corners` (n, 2; top, left) with the boxes of their nuclei.

    A nucleus that a tile's edge cuts counts when 40 % of it is inside; its box ends at the edge.
    """
    sizes = np.bincount(labels.ravel())
    images, boxes = [], []
    for top, left in corners:
        part = labels[top : top + SIDE, left : left + SIDE]
        shown = np.bincount(part.ravel(), minlength=len(sizes))
        inside = [i for i in range(1, len(sizes)) if shown[i] and shown[i] >= LEAST * sizes[i]]
        images.append(image[top : top + SIDE, left : left + SIDE])
        boxes.append(np.array([_box(part == i) for i in inside], np.float32).reshape(-1, 4))
    return Scenes(np.array(images), tuple(boxes))


def regions(edge: int) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return image and labels of the training part and of a held-out strip along one edge.

    `edge` is 0 to 3; the image is turned so that the strip lies at the bottom, 64 of 256 rows. No
    pixel is in both parts: what is judged was never trained on.
    """
    image, labels = (np.rot90(each, edge) for each in image_and_labels())
    cut = WIDE - HELD
    return (image[:cut], labels[:cut]), (image[cut:], labels[cut:])


def _box(mask: Array) -> tuple[int, int, int, int]:
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
