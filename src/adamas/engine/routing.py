"""Which rule a parameter has, by its name: regular expressions become groups."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# So many names are listed in a message, and the others counted.
SHOWN = 8


def listed(names: Sequence[Any], shown: int = SHOWN) -> str:
    """Some of many names, and how many more there are.

    >>> listed(["a", "b", "c"], shown=2)
    "'a', 'b' and 1 more"
    """
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return ", ".join(map(repr, names[:shown])) + more


def settings_of(text: str, value: Any) -> dict[str, Any]:
    """What a route says of its parameters, as a group does: `rule`, and settings of it.

    Raises TypeError for a dict that says what routes cannot.
    """
    if not isinstance(value, Mapping):
        return {"rule": value}
    if taken := sorted({"params", "names", "param_names"} & value.keys()):
        raise TypeError(
            f"routes: {text!r} says {taken[0]!r}, which the expression itself does; a route has a "
            "rule, and settings of that rule."
        )
    return dict(value)


def decided(names: Iterable[str], routes: Any) -> dict[str, list[str]]:
    """The names that each expression of `routes` decides: the first that is found in a name does.

    Raises TypeError for what are no routes; ValueError for a text that is no regular expression,
    for names that no expression is found in, and for an expression that decides no name.

    >>> decided(["embed", "h.0.w", "h.0.b"], {"embed|b$": "adamw", "": "muon"})
    {'embed|b$': ['embed', 'h.0.b'], '': ['h.0.w']}
    """
    patterns = compiled(routes)
    found: dict[str, list[str]] = {text: [] for text in routes}
    rest, every = list[str](), list(names)
    for name in every:
        text = next((text for text, one in patterns.items() if one.search(name)), None)
        (rest if text is None else found[text]).append(name)
    if rest:
        raise ValueError(
            f"routes: no expression is found in {listed(rest)}; add one for them, '' for all that "
            "others leave."
        )
    if idle := [text for text, one in found.items() if not one]:
        raise ValueError(
            f"routes: {idle[0]!r} decides no name: it is found in none, or an expression before it "
            f"is as well. The names are {listed(every)}."
        )
    return found


def compiled(routes: Any) -> dict[str, re.Pattern[str]]:
    """The expressions of `routes`; raises what `decided` raises for what are no routes."""
    if not isinstance(routes, Mapping) or not routes:
        raise TypeError(
            f"routes={routes!r} must be a dict of regular expressions and rules, such as "
            "{'embed|bias|norm': 'adamw', '': 'lion'}."
        )
    return {text: pattern(text, "routes") for text in routes}


def pattern(text: Any, option: str) -> re.Pattern[str]:
    """The expression that an option gives; raises ValueError that names both if it is none."""
    try:
        # One of bytes says only when it is asked that it is found in no name.
        re.search(text, "")
        return re.compile(text)
    except (re.error, TypeError) as error:
        raise ValueError(f"{option}: {text!r} is no regular expression: {error}.") from None


def grouped(params: Any, routes: Any) -> list[dict[str, Any]]:
    """A dict of arrays as one group for each route; raises TypeError for what has no names."""
    if not isinstance(params, Mapping):
        raise TypeError(
            "routes= decides by name, and these parameters have none; pass a dict of arrays by "
            "name, or groups that name their rules."
        )
    return [
        {"params": {name: params[name] for name in names}, **settings_of(text, routes[text])}
        for text, names in decided(params, routes).items()
    ]
