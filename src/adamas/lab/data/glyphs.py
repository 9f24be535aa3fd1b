"""Composite scenes: real handwritten digits with known boxes, among fragments of other digits.

The construction is that of cluttered MNIST (Mnih et al. 2014, Recurrent Models of Visual Attention,
section 4.1): pieces of other digits stand in the way, so that a threshold finds many false objects.
Training and validation scenes are made of different glyphs.
"""

from dataclasses import dataclass

import numpy as np

from adamas.lab.data.uci_digits import data
from adamas.lab.problems import Array

SIDE = 32
MOST = 3
FRAGMENTS = 16
NOISE = 0.1
# A box ends where the ink is this dark; fainter pixels drown in the noise.
INK = 0.25


@dataclass(frozen=True)
class Scenes:
    """Images and what is on them.

    `images` is float32 in 0..1, shape (n, 32, 32). `boxes` has one array (k, 4) an image, the left,
    top, right and bottom edges in pixels.
    """

    images: Array
    boxes: tuple[Array, ...]


def scenes(count: int, glyphs: Array, rng: np.random.Generator) -> Scenes:
    """Return scenes of one to three digits each; `glyphs` are the indices of the digits to use."""
    drawn = [_scene(glyphs, rng) for _ in range(count)]
    noise = rng.standard_normal((count, SIDE, SIDE), np.float32)
    images = np.array([image for image, _ in drawn]) + np.float32(NOISE) * noise
    return Scenes(np.clip(images, 0, 1), tuple(boxes for _, boxes in drawn))


def _scene(glyphs: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw one scene: fragments first, then digits whose boxes do not overlap."""
    pixels, _ = data()
    image = np.zeros((SIDE, SIDE), np.float32)
    for glyph in rng.choice(glyphs, FRAGMENTS):
        across, down = rng.integers(0, 5, 2)
        piece = pixels[glyph].reshape(8, 8)[down : down + 4, across : across + 4]
        _paste(image, piece, *rng.integers(0, SIDE - 4, 2))
    boxes: list[Array] = []
    for glyph in rng.choice(glyphs, rng.integers(1, MOST + 1)):
        drawn = _resized(pixels[glyph].reshape(8, 8), int(rng.integers(9, 15)))
        left, top = rng.integers(0, SIDE - len(drawn) + 1, 2)
        columns, rows = (np.flatnonzero(drawn.max(axis) >= INK) for axis in (0, 1))
        box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
        box += np.array([left, top, left, top], np.float32)
        if all(_apart(box, other) for other in boxes):
            _paste(image, drawn, left, top)
            boxes.append(box)
    return image, np.array(boxes)


def _resized(glyph: Array, side: int) -> Array:
    """Return a square image enlarged to `side` by repeating pixels."""
    places = np.arange(side) * len(glyph) // side
    return np.asarray(glyph[places][:, places])


def _paste(image: Array, piece: Array, left: int, top: int) -> None:
    """Draw a piece on the image; where both have ink the darker one stays."""
    height, width = piece.shape
    part = image[top : top + height, left : left + width]
    np.maximum(part, piece, out=part)


def _apart(one: Array, other: Array) -> bool:
    """Say whether two boxes share no pixel."""
    return bool((one[:2] >= other[2:]).any() or (other[:2] >= one[2:]).any())
