"""What the layers of a module are: which weights are matrices of hidden layers, and why.

Names alone do not say: an embedding is a matrix, too. The modules do, but for the last layer, which
is found by what the module itself says, by its name, or as the last one in order: a Linear or a
convolution.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
QKV = "query, key and value in one matrix"
# What layers are called that hold query, key and value in one matrix.
FUSED = re.compile(
    r"(^|[._])(w?qkv|qkv_proj|in_proj|in_proj_weight|c_attn|query_key_value)([._]|$)", re.IGNORECASE
)


@dataclass(frozen=True)
class Layer:
    """What a parameter is: `kind` is HIDDEN, REST, or "" where its module does not say; and why.

    `fused` says which matrices lie one below the other in it, and `parts` how many of equal rows: 0
    where their rows differ.
    """

    name: str
    parameter: torch.Tensor
    kind: str
    why: str
    fused: str = ""
    parts: int = 1


def layers(model: nn.Module) -> list[Layer]:
    """Every parameter of `model` as what its layers are, in the order of `named_parameters`.

    Raises ValueError for a weight that has not the shape that its layer says it has: it is flat,
    or what lies here is a part of it. Frozen ones may be as they like, and are REST.
    """
    owners: dict[torch.Tensor, list[tuple[str, nn.Module, str]]] = {}
    for path, module in model.named_modules():
        for own, p in module.named_parameters(recurse=False):
            owners.setdefault(p, []).append((path, module, own))
    last = heads(model)
    found = [_layer(name, p, owners[p], last) for name, p in model.named_parameters()]
    return [one if one.parameter.requires_grad else _frozen(one) for one in found]


def heads(model: nn.Module) -> dict[str, str]:
    """The paths of the last layers, and how each was found."""
    paths = {module: path for path, module in model.named_modules()}
    # Inside of wrappers, too.
    asked = [getattr(module, "get_output_embeddings", None) for module in model.modules()]
    said = next((one() for one in asked if callable(one)), None)
    if said in paths:
        return {paths[said]: "the model's get_output_embeddings()"}
    tables = {m.weight for m in model.modules() if isinstance(m, EMBEDDINGS)}
    linear = [path for path, m in model.named_modules() if isinstance(m, nn.Linear)]
    if tied := [path for path in linear if model.get_submodule(path).weight in tables]:
        return {tied[-1]: "tied to the embedding"}
    kinds = (nn.Linear, *CONVOLUTIONS)
    inside = [(path, m) for path, m in model.named_modules() if path and isinstance(m, kinds)]
    every = {path: "Linear" if isinstance(m, nn.Linear) else "convolution" for path, m in inside}
    if not every:
        return {}
    end = {path: f"the last {kind}" for path, kind in list(every.items())[-1:]}
    named = [path for path in every if _is_head(path)]
    if not named:
        return end
    found = dict.fromkeys([*_siblings(model, named[-1], named), named[-1]], "by its name")
    # Behind a layer of that name another one may be the last; those of numbered blocks are not.
    return {**{path: why for path, why in end.items() if not re.search(r"\b\d+\b", path)}, **found}


def _siblings(model: nn.Module, path: str, named: Iterable[str]) -> list[str]:
    """Heads beside each other: those of one ModuleDict or ModuleList."""
    inside, _, _ = path.rpartition(".")
    if not isinstance(model.get_submodule(inside), nn.ModuleDict | nn.ModuleList):
        return []
    return [one for one in named if inside and one.rpartition(".")[0] == inside]


def _is_head(path: str) -> bool:
    for part in path.split("."):
        if HEADS.match(part):
            return True
        if part.isdigit():
            return False
    return False


Owner = tuple[str, nn.Module, str]


def _layer(name: str, p: torch.Tensor, owners: list[Owner], last: Mapping[str, str]) -> Layer:
    held = next((one for one in last if _holds(owners, one)), None)
    for path, module, _ in owners:
        if isinstance(module, EMBEDDINGS):
            tied = " and last layer, tied" if held not in (None, path) else ""
            return Layer(name, p, REST, f"embedding{tied}")
    path, module, own = owners[0]
    if isinstance(module, NORMS):
        return Layer(name, p, REST, "norm")
    if p.requires_grad:
        _check_shape(name, p, module, own)
    if p.ndim < 2:
        return Layer(name, p, REST, "bias" if own.endswith("bias") else "vector")
    if held is not None:
        return Layer(name, p, REST, f"last layer: {last[held]}")
    if is_vector(p):
        return Layer(name, p, REST, "vector: one row or column")
    if isinstance(module, nn.Linear) and own == "weight":
        return Layer(name, p, HIDDEN, "Linear", *_fused(path, p.shape))
    if isinstance(module, CONVOLUTIONS) and own == "weight":
        return _convolution(name, p, module.groups)
    if isinstance(module, nn.MultiheadAttention):
        return Layer(name, p, HIDDEN, "attention", *((QKV, 3) if own == "in_proj_weight" else ()))
    return Layer(name, p, "", f"{'-'.join(map(str, p.shape))} of {type(module).__name__}")


def is_vector(p: torch.Tensor) -> bool:
    """Whether at most one dimension is longer than 1; made orthogonal it is only divided."""
    return not torch.nn.parameter.is_lazy(p) and 0 < p.numel() == max(p.shape, default=1)


def _fused(path: str, shape: Sequence[int]) -> tuple[str, int]:
    """What a Linear of this path has in one matrix, by its name and its sizes."""
    if not (found := FUSED.search(path)):
        return "", 1
    if shape[0] == 3 * shape[1]:
        return QKV, 3
    # Others call by this name what no attention has: Mamba its gate beside its input.
    return ("", 1) if found[2].lower().startswith("in_proj") else (QKV, 0)


def _convolution(name: str, p: torch.Tensor, groups: int) -> Layer:
    if groups > 1 and p.shape[1] == 1:
        return Layer(name, p, REST, "depthwise convolution: no filter meets another")
    size = f"{p.shape[0]} × {p[0].numel()}"
    fused = (f"{groups} groups, which never meet, in one matrix", groups) if groups > 1 else ()
    return Layer(name, p, HIDDEN, f"convolution, as {size}: one row a filter", *fused)


def _frozen(one: Layer) -> Layer:
    """What is not trained need not say what it is: should it be, later, AdamW is never wrong."""
    return one if one.kind else replace(one, kind=REST, why=f"frozen: {one.why}")


def _holds(owners: Iterable[Owner], path: str) -> bool:
    return any(one == path for one, _, _ in owners)


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
