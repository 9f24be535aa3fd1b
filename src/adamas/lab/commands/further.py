"""Further files of a comparison: refused before anything is run, written at its end."""

import os
from dataclasses import dataclass
from pathlib import Path

from adamas.lab.commands import session
from adamas.lab.needs import LabError
from adamas.lab.protocol.output import writing
from adamas.lab.protocol.results_types import Results
from adamas.lab.report import exports


@dataclass(frozen=True)
class Files:
    """Where every run goes as CSV, the table as LaTeX, and the pictures; None writes none."""

    csv: Path | None = None
    latex: Path | None = None
    figures: Path | None = None


def check(files: Files, out: Path) -> None:
    """Refuse further files that could not be written, before anything is run."""
    wanted = {f"--{name}": path for name, path in vars(files).items()}
    # Where a name leads, past `..` and links.
    places = {name: Path(os.path.realpath(path)) for name, path in wanted.items() if path}
    own = {Path(os.path.realpath(out / name)) for name in session.FILES}
    for name, path in places.items():
        others = {other for key, other in places.items() if key != name}
        wrong = path.is_file() if name == "--figures" else path.is_dir()
        if path in others or path in own or wrong:
            raise LabError("error.taken", name=name, path=path)
        above = (path, *path.parents) if name == "--figures" else path.parents
        parent = next(one for one in above if one.exists() or name != "--figures")
        if not parent.is_dir() or not os.access(parent, os.W_OK):
            raise LabError("error.no_such_directory", name=name, path=path, parent=parent)


def write(files: Files, results: Results) -> None:
    """Write what further files were asked for."""
    if files.csv:
        with writing(files.csv):
            files.csv.write_text(exports.to_csv(results), encoding="utf-8")
    if files.latex:
        with writing(files.latex):
            files.latex.write_text(exports.to_latex(results), encoding="utf-8")
    if files.figures:
        with writing(files.figures):
            exports.export_figures(results, files.figures, ("png", "svg"))
