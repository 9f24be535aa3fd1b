"""A notebook in a kernel of its own: the comparison as a reader of the notebook meets it."""

import json
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = (
    """
import numpy as np
import adamas, adamas.lab
from adamas.words import sign

def signs(p, g, m, *, lr=1e-3, beta=0.9):
    m = beta * m + (1 - beta) * g
    return p - lr * sign(m), m

def loss_and_grad(params, x, y):
    off = x @ params["w"] - y
    return np.mean(off**2) + 0.1, {"w": 2 * x.T @ off / len(y)}

x = np.random.default_rng(0).normal(size=(60, 2))
problem = adamas.lab.numpy_problem(loss_and_grad, {"w": np.ones(2)}, (x, x[:, 0]), steps=20)
""",
    """
results = adamas.lab.compare(problem, ["sgd", signs], quick=True, seeds=3, workers=2, out="kept")
results
""",
    "print(results.verdict)\nprint(results.save('page.html'))",
)


def test_a_notebook_gets_the_verdict_and_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells define a problem and a rule, compare, show the table and write the page."""
    spec = tmp_path / "jupyter" / "kernels" / "here"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel = {"argv": argv, "display_name": "here", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(kernel))
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=120, kernel_name="here", resources=place).execute()
    _, compared, printed = notebook.cells
    shown = [one["data"] for one in compared.outputs if one["output_type"] == "execute_result"]
    assert "<table" in shown[0]["text/html"] and "signs" in shown[0]["text/plain"]
    progress = "".join(one["text"] for one in compared.outputs if one["output_type"] == "stream")
    assert "\r" in progress and "\x1b" not in progress
    verdict, page = "".join(one["text"] for one in printed.outputs).splitlines()
    assert "SGD" in verdict and page == "page.html"
    results = json.loads((tmp_path / "kept" / "results.json").read_text())
    assert results["hash"] in (tmp_path / "page.html").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"jupyter", "kept", "page.html"}
