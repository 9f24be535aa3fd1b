"""Object detection in PyTorch: one network says where objects are and how large.

A grid of cells over the image, as in YOLO (Redmon et al. 2016, You Only Look Once, section 2): the
cell that holds an object's centre gives the chance of an object, the place of the centre within the
cell, and the logarithms of the box's sides in cells.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from adamas.lab.data import nuclei
from adamas.lab.data.glyphs import SIDE, Scenes, scenes
from adamas.lab.data.uci_digits import IMAGES, SOURCE
from adamas.lab.problems import Array, Batch, Problem, generator, shuffled_batches
from adamas.lab.zoo.about import about
from adamas.lab.zoo.average_precision import over_images, without_doubles
from adamas.lab.zoo.torch_task import TorchTask, torch_or_reason

if TYPE_CHECKING:
    import torch

CELL = 4
GRID = SIDE // CELL
# What a cell tells: chance of an object, then centre x and y, log of width and height.
CHANCE, BOX = 0, slice(1, 5)
TOLD = 5
BATCH = 16
TRAINING, VALIDATION = 1200, 160
# Tiles drawn from each of four turns of the image, and the pixels from one judged tile to the next.
TILES, STRIDE = 300, 16
BEST = 20


def targets(found: Scenes) -> Array:
    """Return what the cells should tell, float32 (n, 5, 8, 8)."""
    wanted = np.zeros((len(found.images), TOLD, GRID, GRID), np.float32)
    for cells, boxes in zip(wanted, found.boxes, strict=True):
        for left, top, right, bottom in boxes:
            x, y = (left + right) / 2 / CELL, (top + bottom) / 2 / CELL
            column, row = min(int(x), GRID - 1), min(int(y), GRID - 1)
            size = np.log([(right - left) / CELL, (bottom - top) / CELL])
            cells[:, row, column] = [1, x - column, y - row, *size]
    return wanted


def boxes_of(cells: Array) -> tuple[Array, Array]:
    """Return the best boxes of one image, (k, 4) in pixels, and their logits, best first.

    `cells` (5, 8, 8) are a network's outputs. Boxes that overlap a better one are left out.
    """
    chance = cells[CHANCE].ravel()
    best = np.argsort(-chance, kind="stable")[:BEST]
    x, y, width, height = cells[BOX].reshape(4, -1)[:, best].astype(np.float64)
    centre = np.stack([x + best % GRID, y + best // GRID], axis=1)
    half = np.exp(np.clip(np.stack([width, height], axis=1), -5, 5)) / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1) * CELL
    kept = without_doubles(boxes, chance[best])
    return boxes[kept], chance[best][kept]


class DetectionTask(TorchTask):
    """A detector on given scenes; the seed draws start and order."""

    def __init__(self, seed: int, training: Scenes, validation: Scenes) -> None:
        super().__init__(seed, network)
        self.validation = validation
        self.training: Batch = (training.images[:, None], targets(training))
        self.judged: Batch = (validation.images[:, None], targets(validation))

    def batches(self) -> Iterator[Batch]:
        """Yield 16 training scenes and their cells at a time, shuffled anew each epoch."""
        return shuffled_batches(*self.training, BATCH, generator(self.seed, 2))

    def loss(self, batch: Batch) -> "torch.Tensor":
        """Return the sum of two mean losses an object, of its chance and of its box."""
        import torch
        from torch.nn import functional

        cells = self.model(torch.from_numpy(batch[0]))
        wanted = torch.from_numpy(batch[1]).to(cells.dtype)
        held = wanted[:, CHANCE] > 0
        objects = held.sum().clamp(min=1)
        chance = functional.binary_cross_entropy_with_logits(
            cells[:, CHANCE], wanted[:, CHANCE], reduction="sum"
        )
        told, true = cells.movedim(1, -1)[held], wanted.movedim(1, -1)[held]
        box = functional.smooth_l1_loss(told[:, BOX], true[:, BOX], reduction="sum", beta=0.1)
        return (chance + box) / objects

    def judge(self) -> float:
        """Return that loss on the validation scenes."""
        return self.loss(self.judged).item()

    def metrics(self) -> dict[str, float]:
        """Return the average precision at an overlap of one half."""
        import torch

        cells = self.model(torch.from_numpy(self.judged[0])).numpy()
        if not np.isfinite(cells).all():
            return {"ap50": float("nan")}
        return {"ap50": over_images([boxes_of(each) for each in cells], self.validation.boxes)}


def network() -> "torch.nn.Module":
    """Return the untrained detector: images (n, 1, 32, 32) to cells (n, 5, 8, 8)."""
    from torch import nn

    last = nn.Conv2d(32, TOLD, 1)
    # Of 64 cells about 2 hold an object: the start already says so (Lin et al. 2017, Focal Loss
    # for Dense Object Detection, section 3.3).
    nn.init.constant_(last.get_parameter("bias")[:1], -3.4)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1),
        nn.SiLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.SiLU(),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.SiLU(),
        last,
    )


@lru_cache(maxsize=4)
def composites(seed: int) -> tuple[Scenes, Scenes]:
    """Return training and validation scenes; the seed draws which digits each is made of."""
    rng = generator(seed, 0)
    order = rng.permutation(IMAGES)
    held = IMAGES // 5
    return scenes(TRAINING, order[held:], rng), scenes(VALIDATION, order[:held], rng)


def digits_task(seed: int) -> DetectionTask:
    """Return the detector of handwritten digits on composite scenes."""
    torch_or_reason("detection")
    return DetectionTask(seed, *composites(seed))


def nuclei_task(seed: int) -> DetectionTask:
    """Return the detector of nuclei; the seed also draws which edge of the image is held out.

    It trains on tiles drawn at random, from the image and its turns by a right angle, and is judged
    on 45 tiles that lie 16 pixels apart.
    """
    torch_or_reason("nuclei")
    rng = generator(seed, 0)
    train, held = nuclei.regions(int(rng.integers(4)))
    turned = [tuple(np.rot90(each, turn) for each in train) for turn in range(4)]
    parts = [
        nuclei.tiles(image, labels, rng.integers(np.array(image.shape) - SIDE + 1, size=(TILES, 2)))
        for image, labels in turned
    ]
    training = Scenes(
        np.concatenate([part.images for part in parts]), sum((part.boxes for part in parts), ())
    )
    rows, columns = (np.arange(0, length - SIDE + 1, STRIDE) for length in held[0].shape)
    even = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    return DetectionTask(seed, training, nuclei.tiles(*held, even))


DETECTION = Problem(
    "detection",
    345,
    15,
    BATCH,
    digits_task,
    about=about(
        "detection",
        "object detection",
        ("ap50", 0.78),
        sources=(SOURCE,),
        label="composite",
        higher=("ap50",),
    ),
)
NUCLEI = Problem(
    "nuclei",
    345,
    15,
    BATCH,
    nuclei_task,
    about=about(
        "nuclei",
        "object detection",
        ("ap50", 0.72),
        sources=(nuclei.NUCLEI,),
        higher=("ap50",),
        shared="detection",
    ),
)
