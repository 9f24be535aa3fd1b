"""A plausible results tree of `adamas compare`, made up in the shape that real ones have.

Twelve optimizers, among them one that nobody knows, one with a hyper-parameter in its name, one
that diverges on some seeds and one on all; Chinese text; nulls wherever a run may leave one.
"""

from math import log10
from typing import Any

import numpy as np

from adamas.lab.statistics.intervals import t_interval

Tree = dict[str, Any]
# name -> (tuned lr, default lr, final loss, keeps Adam's moments)
SHAPES: dict[str, tuple[float, float, float, bool]] = {
    "sgd": (0.3162278, 1e-3, 0.131, False),
    "momentum": (0.05623413, 1e-3, 0.1205, False),
    "rmsprop": (1.778279e-3, 1e-2, 0.118, False),
    "adam": (3.162278e-3, 1e-3, 0.1121, True),
    "adamw": (3.162278e-3, 1e-3, 0.1118, True),
    "amsgrad": (3.162278e-3, 1e-3, 0.1125, True),
    "adam:beta1=0.8": (5.623413e-3, 1e-3, 0.1090, True),
    "adagrad": (0.03162278, 1e-2, 0.126, False),
    "lion": (3.162278e-4, 1e-4, 0.1205, False),
    "nadam": (1.778279e-3, 2e-3, 0.1107, True),
    "mine.py:符号下降": (1e-2, 1e-2, 0.14, False),
    "mine.py:signum_with_a_long_name": (1e-3, 1e-2, 0.2, False),
}
CLASSICAL = ("sgd", "momentum", "rmsprop", "adam")
STEPS, EVERY = 680, 34
PARAMETERS = ("hidden.weight", "hidden.bias", "输出.weight", "output.bias")


def interval(values: list[float | None]) -> Tree:
    """Return the mean and its interval, null where a run failed."""
    if None in values:
        return {"mean": None, "low": None, "high": None}
    found = t_interval([v for v in values if v is not None])
    ends = {"mean": found.mean, "low": found.low, "high": found.high}
    return {key: value if np.isfinite(value) else None for key, value in ends.items()}


def score(name: str, lr: float) -> float | None:
    """Return the loss that an optimizer would reach at a learning rate; None where it diverges."""
    best, _, final, _ = SHAPES[name]
    distance = log10(lr / best)
    return None if distance > 1.3 else float(final * (1 + 0.9 * distance * distance))


def search(name: str, seeds: int) -> list[Tree]:
    """Return the tuning points: nine on a grid, one that extended it, two refined."""
    centre = SHAPES[name][0]
    stages = [(10 ** (i / 2), "coarse") for i in range(-4, 5)]
    stages += [(10**-2.5, "extend")]
    stages += [(factor, "refine") for factor in (10**-0.25, 1.0, 10**0.25)]
    points = []
    for factor, stage in sorted(stages):
        lr, found = centre * factor, score(name, centre * factor)
        if found is not None and stage != "refine":
            found *= 1.4  # fewer updates
        failed = 0 if found is not None else min(seeds, 2)
        points.append(
            {"lr": lr, "stage": stage, "score": found, "runs": seeds} | {"diverged": failed}
        )
    return points


def curve(final: float, rng: np.random.Generator) -> Tree:
    """Return a mean loss curve that falls from 2.3 to the final loss, with its band."""
    at = list(range(0, STEPS + 1, EVERY))
    share = np.exp(-np.array(at) / (STEPS / 7))
    mean = (final + (2.31 - final) * share) * (1 + 0.01 * rng.standard_normal(len(at)))
    half = 0.03 * mean
    train = [None, *(0.75 * mean[1:]).tolist()]
    return {
        "at": at,
        "mean": mean.tolist(),
        "low": (mean - half).tolist(),
        "high": (mean + half).tolist(),
        "train": train,
    }


def row(name: str, seeds: int, shared: np.ndarray, rng: np.random.Generator) -> Tree:
    """Return everything that the tree holds of one optimizer."""
    lr, default_lr, final, _ = SHAPES[name]
    finals: list[float | None] = (final * (1 + shared + 0.01 * rng.standard_normal(seeds))).tolist()
    if "signum" in name:
        finals[1] = None
    default = score(name, default_lr)
    defaults = [default * (1 + s) if default is not None else None for s in shared.tolist()]
    tuned, untuned = interval(finals), interval(defaults)
    penalty = untuned["mean"] / tuned["mean"] if tuned["mean"] and untuned["mean"] else None
    reached: list[int | None] = [
        int(rng.integers(8, 19)) * EVERY if f is not None and f < 0.125 else None for f in finals
    ]
    known = sorted(step for step in reached if step is not None)
    coarse = sorted(p["score"] for p in search(name, 3) if p["score"] is not None)
    extras = [0.95 + 0.25 * (0.13 - f) if f is not None else None for f in finals]
    return {
        "lr": lr,
        "lrs": [lr] * seeds,
        "at_edge": name == "lion",
        "extended": 1,
        "points": search(name, 3),
        "width": {"low": lr / 2.2, "high": lr * 2.1, "decades": 0.66, "open_ended": name == "lion"},
        "finals": finals,
        "diverged": finals.count(None),
        "ends": ends(finals),
        "lasted": [STEPS] * seeds,
        "kind": "rule",
        "asks": False,
        "interval": tuned,
        "extras": {"accuracy": interval(extras)},
        "curve": curve(final, rng),
        "target": {
            "reached": len(known),
            "of": seeds,
            "median": known[len(known) // 2] if len(known) > seeds / 2 else None,
            "steps": reached,
        },
        "default": {
            "lr": default_lr,
            "finals": defaults,
            "diverged": defaults.count(None),
            "ends": ends(defaults),
            "interval": untuned,
            "penalty": penalty,
        },
        "best_of": [coarse[0] * (1 + 1.5 / (k + 1)) for k in range(len(coarse))],
        "runs": 36 + 2 * seeds,
    }


def ends(finals: list[float | None]) -> list[str]:
    """Return how runs with these losses ended."""
    return ["blown_up" if final is None else "trained" for final in finals]


def best(rows: Tree, references: list[str]) -> Tree:
    """Return the second judgement: each run's lowest loss, a little below its last one."""
    seeds = {name: len(row["finals"]) for name, row in rows.items()}
    losses = {
        name: [0.5 if final is None else 0.95 * final for final in row["finals"]]
        for name, row in rows.items()
    }
    lowest = {name: {"finals": found} for name, found in losses.items()}
    return {
        "optimizers": {
            name: {"losses": found, "steps": [STEPS - EVERY] * seeds[name],
                   "median_step": STEPS - EVERY, "interval": interval(found)}
            for name, found in losses.items()
        },
        "comparisons": compared(lowest, references),
    }  # fmt: skip


def compared(rows: Tree, references: list[str]) -> list[Tree]:
    """Return every optimizer beside every reference."""
    return [
        comparison(name, reference, rows)
        for reference in references
        for name in rows
        if name != reference
    ]


def comparison(name: str, reference: str, rows: Tree) -> Tree:
    """Return the paired difference of two optimizers."""
    ours, theirs = rows[name]["finals"], rows[reference]["finals"]
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
    base = {"optimizer": name, "reference": reference, "seeds": len(ours), "correlation": None}
    if len(pairs) < len(ours):
        nothing: Tree = {"mean": None, "low": None, "high": None}
        return base | {"difference": nothing, "percent": dict(nothing), "p": None, "p_holm": None,
                       "word": "diverged", "p_win": 0.0}  # fmt: skip
    difference = interval([a - b for a, b in pairs])
    scale = 100 / np.mean(theirs)
    sure = difference["low"] is not None and difference["low"] * difference["high"] > 0
    word = ("worse" if difference["mean"] > 0 else "better") if sure else "tie"
    if len(pairs) < 3:
        word = "few"
    return base | {
        "difference": difference,
        "percent": {k: None if v is None else v * scale for k, v in difference.items()},
        "p": 0.0004 if sure else 0.31,
        "p_holm": 0.004 if sure else 0.93,
        "word": word,
        "p_win": float(np.mean([a < b for a, b in pairs])),
        "correlation": float(np.corrcoef(np.array(pairs).T)[0, 1]) if len(pairs) > 2 else None,
    }


def microscope(name: str, rng: np.random.Generator) -> Tree:
    """Return what the re-run of one optimizer recorded."""
    at = np.unique(np.geomspace(1, STEPS, 60).astype(int))
    own = 1 + 0.3 * list(SHAPES).index(name)
    median = 0.9 * at**-0.25 / own
    effective = 3e-3 * (1 + at) ** 0.45 * own
    moments = SHAPES[name][3]
    return {
        "at": at.tolist(),
        "update_in_lr": {
            "median": median.tolist(),
            "p90": (1.6 * median).tolist(),
            "max": np.minimum(3, 4 * median).tolist(),
        },
        "effective_step": {
            "median": effective.tolist(),
            "p10": (effective / 4).tolist(),
            "p90": (effective * 6).tolist(),
        }
        if moments
        else None,
        "m_rms": (0.02 * at**-0.4).tolist() if moments else None,
        "v_rms": (0.004 * at**-0.6).tolist() if moments else None,
        "bias_m": (1 - 0.9**at).tolist() if moments else None,
        "bias_v": (1 - 0.999**at).tolist() if moments else None,
        "grad_norm": (1.5 * at**-0.35 * rng.lognormal(0, 0.1, len(at))).tolist(),
        "update_to_weight": {
            parameter: (0.02 / (1 + i) * at**-0.3).tolist()
            for i, parameter in enumerate(PARAMETERS)
        },
    }


def findings(names: list[str]) -> list[Tree]:
    """Return one finding of each kind."""
    odd = "mine.py:signum_with_a_long_name"
    return [
        {"optimizer": odd if odd in names else names[-1], "lr": 1e-3, "seed": 101,
         "kind": "diverged", "step": 137, "parameter": "输出.weight", "update_to_weight": 0.84,
         "advice": ["lower_lr", "warm_up", "clip", "larger_eps"], "numbers": {"loss": 5.1}},
        {"optimizer": names[0], "lr": 1e-3, "seed": 100, "kind": "stalled", "step": None,
         "parameter": None, "update_to_weight": None, "advice": [], "numbers": {}},
        {"optimizer": names[0], "lr": 1e-3, "seed": 100, "kind": "short", "step": None,
         "parameter": "hidden.weight", "update_to_weight": 1.2e-5,
         "advice": ["higher_lr", "more_steps"],
         "numbers": {"reach": 0.68, "distance": 2.1, "steps": 2100.0, "lr": 3.1e-3}},
        {"optimizer": names[-1], "lr": 1e-3, "seed": 100, "kind": "slow", "step": 680,
         "parameter": None, "update_to_weight": None, "advice": ["more_steps", "someday"],
         "numbers": {}},
    ]  # fmt: skip


def problem() -> Tree:
    """Return what the tree says of the problem."""
    return {
        "name": "cells",
        "title": {"en": "Digits <composite>, detector", "zh": "手写数字拼图，目标检测"},
        "kind": "detection",
        "label": "composite",
        "model": {"en": "one-stage detector, 3 convolutions", "zh": "单阶段检测器，三层卷积"},
        "loss": {"en": "cross entropy + L1 on boxes", "zh": "交叉熵 + 边框 L1"},
        "sources": [
            {"title": "Optical Recognition of Handwritten Digits", "package": "scikit-learn",
             "licence": "CC BY 4.0", "citation": "Alpaydin & Kaynak 1998", "sha256": "9f" * 32},
        ],
        "quality": {
            "metric": "accuracy",
            "value": 0.953,
            "basis": {"en": "k-nearest neighbours on the same split", "zh": "同样划分下的 k 近邻"},
        },
        "higher": ["accuracy"],
        "notes": {"en": "Scenes are drawn from real digits.", "zh": "场景由真实数字拼成。"},
        "columns": [
            {"name": "kind", "kind": "text", "missing": 0, "inputs": 0, "fate": "target",
             "different": 3, "words": [], "reading": []},
            {"name": "重量", "kind": "number", "missing": 1234, "inputs": 2, "fate": "",
             "different": 0, "words": ["-", "<none>"], "reading": ["comma"]},
            {"name": "row", "kind": "number", "missing": 0, "inputs": 0, "fate": "counter",
             "different": 0, "words": [], "reading": []},
        ],
        "split": {"en": "A fifth of the rows judges.", "zh": "五分之一的行用来评判。"},
        "parameters": 34826,
        "random": True,
    }  # fmt: skip


BASELINES = {"blind": 0.9, "linear": 0.2, "trees": 0.16}


def baseline(loss: float, names: list[str]) -> Tree:
    """Return a baseline that every other optimizer beats."""
    spread = {"mean": loss, "low": 0.99 * loss, "high": 1.01 * loss}
    words = {name: "better" if i % 2 == 0 else "few" for i, name in enumerate(names)}
    return {"finals": [loss] * 10, "interval": spread, "extras": {}, "words": words}


def sample(names: tuple[str, ...] = tuple(SHAPES), seeds: int = 10) -> Tree:
    """Return a results tree with these optimizers and this many report seeds."""
    rng = np.random.default_rng(5)
    shared = 0.03 * rng.standard_normal(seeds)
    rows = {name: row(name, seeds, shared, rng) for name in names}
    references = [name for name in ("adam", "momentum") if name in names]
    return {
        "adamas": "0.1.0",
        "plan": {
            "problem": "cells", "optimizers": list(names),
            "identity": {"text": "cells", "target": None, "sha256": None},
            "formulas": dict.fromkeys(names, "c0ffee" * 4), "version": "0.1.0", "protocol": 2,
            "goal": None,
            "steps": STEPS, "every": EVERY, "batch": 64, "share": 0.25,
            "grids": {n: [p["lr"] for p in rows[n]["points"] if p["stage"] == "coarse"]
                      for n in names},
            "defaults": {n: SHAPES[n][1] for n in names},
            "tuning": [0, 1, 2], "refine": [10, 11], "report": list(range(100, 100 + seeds)),
            "margin": 0.02, "references": references,
            "hypothesis": "Adam 会比 SGD <好> 5 %", "mode": "default", "most_runs": 720,
        },
        "hash": "0123456789abcdef",
        "problem": problem(),
        "machine": {"python": "3.13.1", "numpy": "2.4.0", "numba": "0.68.0", "adamas": "0.1.0",
                    "system": "Linux 6.1", "cpu": "Example CPU @ 2 GHz", "cores": 2},
        "optimizers": rows,
        "target": {"value": 0.125, "origin": "classical"},
        "comparisons": compared(rows, references),
        "best": best(rows, references or [names[0]]),
        "inside": {n: microscope(n, rng) for n in names},
        "doctor": findings(list(names)),
        "baselines": {name: baseline(loss, list(names)) for name, loss in BASELINES.items()},
        "verdict": {"reference": references[0] if references else names[0]},
    }  # fmt: skip


def sample_timing(names: tuple[str, ...] = tuple(SHAPES)) -> Tree:
    """Return the timings that belong to `sample`."""
    return {
        "seconds": 171.3,
        "workers": 2,
        "per_step": {name: 8.0 + 3 * i for i, name in enumerate(names)},
        "model_step": 412.0,
        "state_bytes_per_parameter": {n: 8.0 if SHAPES[n][3] else 4.0 for n in names},
    }
