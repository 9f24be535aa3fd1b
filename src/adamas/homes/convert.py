"""`adamas.convert`, light to import: what it needs is loaded when it is called."""

from typing import TYPE_CHECKING, Any, Literal

from adamas.files.foreign import converters

if TYPE_CHECKING:
    from adamas.homes.neutral import Names

__all__ = ["convert"]


def convert(
    state: Any,
    source: Any,
    target: Any,
    names: "Names" = None,
    *,
    dialect: Literal["exact", "ignore"] = "exact",
) -> Any:
    """The optimizer state `state` of `source` as one that `target` goes on with.

    `source` and `target` are optimizers, or names of what they are, such as `"torch.AdamW"` or
    `"optax.adamw(1e-3, weight_decay=0.01)"`, of torch.optim, optax, Keras, adamas and its faces,
    schedulefree, and, to read, bitsandbytes.

    - `state`: what the source's home saves: a `state_dict()` (torch, adamas), an optax state, or
      the variables of a Keras optimizer.
    - `target`: the optimizer that shall go on: a live one of torch, Keras (built) or adamas; of
      optax and adamas.jax a pair of a name and `tx.init(params)`. `"adamas"` gives the neutral
      form, plain arrays by name, which is a source again.
    - `names`: a dict or function from the source's names of parameters to the target's; a value may
      be a pair of a name and a function of arrays, such as `numpy.transpose`; None leaves one out.
    - `dialect`: `"exact"` refuses a target that would not go on as the source; `"ignore"` takes
      the numbers as they are where they mean the same.

    Returns what the target loads: a dict for `load_state_dict` (torch, adamas), a state of the
    pair's structure (optax), a dict for `load_own_variables` (Keras). Nothing of what is given is
    changed. Hyper-parameters go along where the target's state has them; where it has its own and
    they differ, a warning says so. Raises TypeError or ValueError that names what does not fit.
    """
    from adamas.homes.conversion import converted

    return converted(state, source, target, names, dialect)


converters[:] = [convert]
