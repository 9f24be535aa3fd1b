"""What is known of Keras without Keras, what is loaded with it, and the example of images."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import adamas
from adamas import dialects, rules
from adamas.homes import keras
from adamas.homes.keras_paths import matched, pattern_of, unnumbered
from adamas.kernel.formula import Formula, parse
from adamas.kernel.variants import decoupled
from keras_names import run
from places import ROOT


def test_a_missing_keras_is_one_line_that_names_the_extra() -> None:
    """Without Keras the import fails in one line that says what to install."""
    text = "import sys, importlib.util as u; f = u.find_spec; "
    text += "u.find_spec = lambda name, *more: None if name == 'keras' else f(name, *more); "
    done = subprocess.run(
        [sys.executable, "-c", f"{text}import adamas.keras"], capture_output=True, text=True
    )
    assert done.stderr.splitlines()[-1].startswith("ImportError: adamas.keras needs Keras;")
    assert "pip install 'adamas[keras]'" in done.stderr


def test_no_other_backend_is_imported(tmp_path: Path) -> None:
    """On JAX neither TensorFlow nor torch is loaded."""
    text = "import sys, adamas.keras; print(*sys.modules)"
    loaded = set(run("jax", "-c", text, cwd=tmp_path).split())
    assert "jax" in loaded
    assert not {"tensorflow", "torch"} & loaded


def test_the_table_needs_no_framework() -> None:
    """Names, defaults and rules of Keras' classes are read without Keras or a backend."""
    text = "import sys, adamas.homes.keras; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert not {"keras", "tensorflow", "torch", "jax"} & set(done.stdout.split())


@adamas.rule
def adam(p, g, m, v, *, lr=1e-3):  # type: ignore[no-untyped-def]
    """Somebody's own, which is called like one of ours."""
    return p - lr * m, m + g, v + g


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (
            decoupled(parse(dialects.adam_eps_hat)),
            {"m": "momentum", "v": "velocity", "v_max": "velocity_hat"},
        ),
        (
            decoupled(parse(dialects.rmsprop_centered_eps_inside)),
            {"v": "velocity", "m": "average_gradient"},
        ),
        (parse(rules.adadelta), {"v": "accumulated_grad", "d": "accumulated_delta_var"}),
        (adam.formula, {}),
    ],
)
def test_states_have_keras_names(rule: Formula, names: dict[str, str]) -> None:
    """The names of states are found by the rule, whatever dialect or decay it has."""
    assert keras.moments(rule) == names


def test_saved_names_are_matched_or_refused() -> None:
    """Names fit by themselves, in order but for numbers and the model's name, or not at all."""
    own = ["iteration", "learning_rate", "dense_kernel_m", "dense_1_kernel_m"]
    swapped = [own[0], own[3], own[2]]
    assert matched(own, swapped, (own, swapped), "") == [0, None, 2, 1]
    later = ["iteration", "net_dense_4_kernel_m", "net_dense_5_kernel_m"]
    mine = unnumbered(own, ["dense/kernel", "dense_1/kernel"], {"dense"})
    theirs = unnumbered(later, ["net/dense_4/kernel", "net/dense_5/kernel"], {"dense"})
    assert mine[1:] == ["learning_rate", "dense_kernel_m", "dense_kernel_m"]
    assert matched(own, later, (mine, theirs), "") == [0, None, 1, 2]
    other = [*own[:2], "conv_m", own[3]]
    with pytest.raises(ValueError, match=r"Only here: 'dense_kernel_m'.* Only there: 'conv_m'"):
        matched(own, other, (mine, other), "the state")


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("sequential_1/dense_2/kernel", "sequential_dense_kernel_m"),
        ("conv2d_transpose_12/kernel", "conv2d_transpose_kernel_m"),
        ("my_block_3/gain", "my_block_gain_m"),
        ("enc_1/kernel", "enc_1_kernel_m"),
        ("enc_dense_1/kernel", "enc_dense_1_kernel_m"),
        ("stage_2/dense/kernel", "stage_2_dense_kernel_m"),
        ("variable_7", "variable_m"),
        ("Variable:0", "Variable_0_m"),
    ],
)
def test_only_numbers_of_keras_are_left_out(path: str, plain: str) -> None:
    """A number is Keras' where it follows the name of a class, and is kept in any other name."""
    classes = {"dense", "sequential", "conv2dtranspose", "myblock", "variable"}
    name = path.replace("/", "_").replace(":", "_") + "_m"
    assert unnumbered([name, "iteration"], [path, "a"], classes) == [plain, "iteration"]


@pytest.mark.parametrize(
    ("path", "fits", "others"),
    [
        (
            "net/dense/kernel",
            ("net/dense/kernel", "dense/kernel"),
            ("net/dense_1/kernel", "kernel"),
        ),
        ("dense/kernel", ("dense/kernel", "net/dense/kernel"), ("kernel", "a/b/dense/kernel")),
        ("kernel", ("kernel",), ("dense/kernel",)),
        ("net/a/dense/bias", ("a/dense/bias",), ("b/dense/bias", "dense/bias")),
    ],
)
def test_an_excluded_variable_is_found_again(
    path: str, fits: tuple[str, ...], others: tuple[str, ...]
) -> None:
    """The pattern of a path finds that variable with and without its model's name, and no other."""
    assert all(re.search(pattern_of(path), one) for one in fits)
    assert not any(re.search(pattern_of(path), one) for one in others)


def test_images_are_learned_and_continued_exactly(tmp_path: Path) -> None:
    """On TensorFlow 4,000 images of MNIST teach 0.85 of the rest, and another process goes on."""
    script = ROOT / "examples" / "keras_mnist.py"
    first = run("tensorflow", script, "--file", "d-{epoch}.keras", cwd=tmp_path).splitlines()
    again = run("tensorflow", script, "--resume", "--file", "d-1.keras", cwd=tmp_path).splitlines()
    assert float(first[-1].split("accuracy ")[1].split(";")[0]) > 0.85
    assert first[-1].split(";")[0] == again[-1].split(";")[0]
