"""The built-in problems by name; a problem's module is imported only when it is asked for."""

from importlib import import_module

from adamas.lab.needs import LabError
from adamas.lab.problems import Problem

# name on the command line -> where the `Problem` is.
CATALOGUE: dict[str, str] = {
    "line": "adamas.lab.zoo.line:LINE",
    "words": "adamas.lab.zoo.rare_words:ENTRY",
    "digits": "adamas.lab.zoo.digits:DIGITS",
    "digits-softmax": "adamas.lab.zoo.digits:DIGITS_SOFTMAX",
    "digits-cnn": "adamas.lab.zoo.images:CNN",
    "mnist5k": "adamas.lab.zoo.images:MNIST",
    "diabetes": "adamas.lab.zoo.regression:DIABETES",
    "diamonds": "adamas.lab.zoo.regression:DIAMONDS",
    "breast-cancer": "adamas.lab.zoo.logistic:TUMOURS",
    "logistic-scales": "adamas.lab.zoo.logistic:SCALES",
    "quadratic-scaled": "adamas.lab.zoo.convex:QUADRATIC",
    "noisy-quadratic": "adamas.lab.zoo.convex:NOISY",
    "rosenbrock": "adamas.lab.zoo.convex:ROSENBROCK",
    "reddi": "adamas.lab.zoo.reddi:REDDI",
    "detection": "adamas.lab.zoo.detection:DETECTION",
    "nuclei": "adamas.lab.zoo.detection:NUCLEI",
    "char-lm-en": "adamas.lab.zoo.language:ENGLISH",
    "char-lm-zh": "adamas.lab.zoo.language:CHINESE",
    "sentiment": "adamas.lab.zoo.sentiment:SENTIMENT",
    "cartpole": "adamas.lab.zoo.cartpole:CARTPOLE",
    "ratings": "adamas.lab.zoo.ratings:RATINGS",
}


def built_in(name: str) -> Problem:
    """Return a built-in problem; `LabError` names them all when there is none of that name."""
    if name not in CATALOGUE:
        known = ", ".join(sorted(CATALOGUE))
        raise LabError("error.problem_unknown", name=name, known=known)
    module, _, attribute = CATALOGUE[name].partition(":")
    found: Problem = getattr(import_module(module), attribute)
    return found
