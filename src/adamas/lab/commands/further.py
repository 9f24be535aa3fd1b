"""Further files of a comparison: refused before anything is run, written at its end."""

import os
from argparse import Namespace
from pathlib import Path

from adamas.lab.commands import session
from adamas.lab.needs import LabError
from adamas.lab.protocol.output import writing
from adamas.lab.protocol.results import Tree
from adamas.lab.report import exports


def check(args: Namespace, out: Path) -> None:
    """Refuse further files that could not be written, before anything is run."""
    wanted = {f"--{name}": getattr(args, name) for name in ("csv", "latex", "figures")}
    # Where a name leads, past `..` and links.
    places = {name: Path(os.path.realpath(path)) for name, path in wanted.items() if path}
    own = {Path(os.path.realpath(out / name)) for name in session.FILES}
    for name, path in places.items():
        others = {other for key, other in places.items() if key != name}
        wrong = path.is_file() if name == "--figures" else path.is_dir()
        if path in others or path in own or wrong:
            raise LabError(f"{name} {path} is taken; choose another name")
        above = (path, *path.parents) if name == "--figures" else path.parents
        parent = next(one for one in above if one.exists() or name != "--figures")
        if not parent.is_dir() or not os.access(parent, os.W_OK):
            raise LabError(f"{name} {path} cannot be written; {parent} is no such directory")


def write(args: Namespace, results: Tree) -> None:
    """Write what further files were asked for."""
    if args.csv:
        with writing(args.csv):
            args.csv.write_text(exports.to_csv(results), encoding="utf-8")
    if args.latex:
        with writing(args.latex):
            args.latex.write_text(exports.to_latex(results), encoding="utf-8")
    if args.figures:
        with writing(args.figures):
            exports.export_figures(results, args.figures, ("png", "svg"))
