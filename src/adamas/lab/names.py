"""What a rule may be called: by its own name, or as its paper and its class write it."""

from adamas import rules
from adamas.classes import CLASSES


def own_name(optimizer: str) -> str:
    """Return an optimizer under the rule's own name; what is no rule of adamas stays as it is.

    >>> own_name("AdamW:beta1=0.8"), own_name("RMSProp"), own_name("mine.py:Adam")
    ('adamw:beta1=0.8', 'rmsprop', 'mine.py:Adam')
    """
    rule, colon, rest = optimizer.partition(":")
    known = {bare(made): one.__name__ for made, one in CLASSES.items()}
    known |= {bare(name): name for name in rules.__all__}
    return known.get(bare(rule), rule) + colon + rest


def bare(name: str) -> str:
    """Return a name without what differs between its spellings."""
    return name.replace("_", "").lower()
