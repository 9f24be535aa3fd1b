"""What the layers of a module are: which weights are matrices of hidden layers, and why.

Names alone do not say: an embedding is a matrix, too. The modules do, but for the last layer, which
is found by what the module itself says, by its name, or as the last one in order.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

HIDDEN, REST = "hidden", "rest"
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
# Transposed convolutions have their inputs first, and are not decided here.
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (
    nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d,
    nn.SyncBatchNorm, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d,
)  # fmt: skip
# What last layers are called. Inside a numbered block it is a hidden layer's name.
HEADS = re.compile(r"^(lm_head|head|heads|classifier|fc|output|out|logits|score|unembed)$")
# What layers are called that hold query, key and value in one matrix.
FUSED = re.compile(
    r"(^|[._])(w?qkv|qkv_proj|in_proj|in_proj_weight|c_attn|query_key_value)([._]|$)", re.IGNORECASE
)


@dataclass(frozen=True)
class Layer:
    """What a parameter is: `kind` is HIDDEN, REST, or "" where its module does not say; and why."""

    name: str
    parameter: torch.Tensor
    kind: str
    why: str
    fused: bool = False


def layers(model: nn.Module) -> list[Layer]:
    """Every parameter of `model` as what its layers are, in the order of `named_parameters`.

    Raises ValueError for a weight that has not the shape that its layer says it has: it is flat,
    or what lies here is a part of it.
    """
    owners: dict[torch.Tensor, list[tuple[str, nn.Module, str]]] = {}
    for path, module in model.named_modules():
        for own, p in module.named_parameters(recurse=False):
            owners.setdefault(p, []).append((path, module, own))
    last = head(model)
    return [_layer(name, p, owners[p], last) for name, p in model.named_parameters()]


def head(model: nn.Module) -> tuple[str, str]:
    """The path of the last layer, and how it was found; empty texts if there is none."""
    paths = {module: path for path, module in model.named_modules()}
    # Inside of wrappers, too.
    asked = [getattr(module, "get_output_embeddings", None) for module in model.modules()]
    said = next((one() for one in asked if callable(one)), None)
    if said in paths:
        return paths[said], "the model's get_output_embeddings()"
    tables = {m.weight for m in model.modules() if isinstance(m, EMBEDDINGS)}
    linear = [(p, m) for p, m in model.named_modules() if isinstance(m, nn.Linear)]
    if tied := [path for path, m in linear if m.weight in tables]:
        return tied[-1], "tied to the embedding"
    if named := [path for path, _ in linear if _is_head(path)]:
        return named[-1], "by its name"
    if linear:
        return linear[-1][0], "the last Linear"
    convolutions = [p for p, m in model.named_modules() if isinstance(m, CONVOLUTIONS)]
    return (convolutions[-1], "the last convolution") if convolutions else ("", "")


def _is_head(path: str) -> bool:
    for part in path.split("."):
        if HEADS.match(part):
            return True
        if part.isdigit():
            return False
    return False


Owner = tuple[str, nn.Module, str]


def _layer(name: str, p: torch.Tensor, owners: list[Owner], last: tuple[str, str]) -> Layer:
    for path, module, _ in owners:
        if isinstance(module, EMBEDDINGS):
            tied = " and last layer, tied" if path != last[0] and _holds(owners, last[0]) else ""
            return Layer(name, p, REST, f"embedding{tied}")
    path, module, own = owners[0]
    if isinstance(module, NORMS):
        return Layer(name, p, REST, "norm")
    _check_shape(name, p, module, own)
    if p.ndim < 2:
        return Layer(name, p, REST, "bias" if own.endswith("bias") else "vector")
    if _holds(owners, last[0]):
        return Layer(name, p, REST, f"last layer: {last[1]}")
    if isinstance(module, nn.Linear) and own == "weight":
        out, into = module.out_features, module.in_features
        return Layer(name, p, HIDDEN, "Linear", bool(FUSED.search(path)) and out == 3 * into)
    if isinstance(module, CONVOLUTIONS) and own == "weight":
        size = f"{p.shape[0]} × {p[0].numel()}"
        return Layer(name, p, HIDDEN, f"convolution, as {size}: one row a filter")
    if isinstance(module, nn.MultiheadAttention) and p.shape[0] > 1:
        return Layer(name, p, HIDDEN, "attention", own == "in_proj_weight")
    return Layer(name, p, "", f"{'-'.join(map(str, p.shape))} of {type(module).__name__}")


def _holds(owners: Iterable[Owner], path: str) -> bool:
    return bool(path) and any(one == path for one, _, _ in owners)


def _check_shape(name: str, p: torch.Tensor, module: nn.Module, own: str) -> None:
    if own != "weight":
        return
    said: tuple[Any, ...] | None = None
    if isinstance(module, nn.Linear):
        said = (module.out_features, module.in_features)
    elif isinstance(module, CONVOLUTIONS):
        said = (module.out_channels, module.in_channels // module.groups, *module.kernel_size)
    if torch.nn.parameter.is_lazy(p):
        raise ValueError(f"parameter {name!r} has no shape yet; run the model once first.")
    if said is not None and tuple(p.shape) != said:
        raise ValueError(
            f"parameter {name!r} has shape {tuple(p.shape)}, and its layer says {said}: it is flat "
            "or partitioned (ZeRO, FSDP1), and a part of a matrix is not orthogonalized as the "
            "matrix. Make the optimizer of whole parameters, or use fully_shard, whose DTensors "
            "know the whole."
        )
