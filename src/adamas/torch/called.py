"""What parameters are called, with and without the names that wrappers put before them."""

# torch.compile, DistributedDataParallel and AveragedModel, FSDP, activation checkpoints.
WRAPPERS = frozenset({
    "_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
})  # fmt: skip


def bare(name: str) -> str:
    """`name` as the model itself has it, without wrappers.

    >>> bare("module._orig_mod.layer.0.weight")
    'layer.0.weight'
    """
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def found(wanted: list[str], there: list[str]) -> list[int] | None:
    """For each wanted name its place among the names `there`; None unless they are the same.

    Names are compared as they are; if they differ, without wrappers, as long as that leaves no two
    alike. Equal names belong to each other in the order they come.
    """
    for read in (str, bare):
        one, other = list(map(read, wanted)), list(map(read, there))
        if read is bare and len(set(one)) < len(one):
            return None
        if sorted(one) == sorted(other):
            places: dict[str, list[int]] = {}
            for place, name in enumerate(other):
                places.setdefault(name, []).append(place)
            return [places[name].pop(0) for name in one]
    return None
