"""`adamas.convert` between PyTorch and NumPy: names, shapes, hyper-parameters, few bits."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

import adamas.torch
from adamas import convert, dialects, rules
from home_runs import HALF, NAMES, Adamas, Array, Torch, forty, going_on, sample, trained

FLOAT32 = 1e-6
OURS = sorted({*rules.__all__} - {"schedule_free_average"})


@adamas.rule
def quasi(p, g, m, c=1.0, *, lr=1e-3, beta1=0.9, beta2=0.99, tau=0.5):  # type: ignore[no-untyped-def]
    """A user's own rule, with a number that a tensor has once."""
    c = c * beta2
    m = beta1 * m + (1 - beta1) * g
    return p - lr * (m / (1 + c) + tau * g), m, c


def named(**options: Any) -> Torch:
    """AdamW of torch."""
    return Torch(torch.optim.AdamW, lr=1e-2, weight_decay=0.1, **options)


@pytest.mark.parametrize("name", OURS)
def test_numpy_and_torch_continue_each_other(name: str) -> None:
    """Every rule, twenty steps in NumPy and twenty in adamas.torch, and the other way round."""
    rule = getattr(rules, name)
    numpy, face = Adamas(rule, lr=1e-2), Torch(adamas.torch.optimizer(rule), lr=1e-2)
    assert going_on(forty(numpy, "float32"), face, "float32") < FLOAT32
    assert going_on(forty(face, "float32"), numpy, "float32") < FLOAT32


@pytest.mark.parametrize("name", ["adam_eps_hat", "rmsprop_centered_momentum"])
def test_dialects_go_between_the_faces(name: str) -> None:
    """What another home's state was made for can be stepped in PyTorch, too."""
    rule = getattr(dialects, name)
    numpy, face = Adamas(rule, lr=1e-2), Torch(adamas.torch.optimizer(rule), lr=1e-2)
    assert going_on(forty(numpy, "float32"), face, "float32") < FLOAT32


def test_a_users_own_rule_goes_between_the_faces() -> None:
    """States and numbers of a rule that only its user knows are found by its own names."""
    numpy, face = Adamas(quasi, lr=1e-2, tau=0.25), Torch(adamas.torch.optimizer(quasi), lr=1e-2)
    assert going_on(forty(numpy, "float32"), face, "float32") < FLOAT32
    assert face.source.param_groups[0]["tau"] == 0.25
    assert going_on(forty(face, "float32"), numpy, "float32") < FLOAT32


def test_torch_goes_on_as_torch_with_a_checkpoint_of_numbers() -> None:
    """A state dict without names is matched by a dict of numbers, and nothing of it is changed."""
    params, grads = sample("float32")
    first = Torch(lambda pairs, **o: torch.optim.AdamW([p for _, p in pairs], **o), lr=1e-2)
    half = trained(first, params, grads[:HALF])
    state = first.saved()
    before = copy.deepcopy(state)
    second = named()
    second.start(half)
    found = convert(state, "torch.AdamW", second.source, names=dict(enumerate(NAMES)))
    second.load(found)
    assert found["param_groups"][0]["weight_decay"] == 1e-2
    assert all(torch.equal(state["state"][0][k], before["state"][0][k]) for k in state["state"][0])
    for one in grads[HALF:]:
        second.step(one)
        first.step(one)
    for a, b in zip(second.params(), first.params(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_neutral_form_is_arrays_by_name_with_the_dialect() -> None:
    """What is between the homes can be kept: plain arrays, the rule of every group, and back."""
    first = forty(named(), "float32")
    neutral = convert(first.state, "torch.AdamW", "adamas")
    group = neutral["param_groups"][0]
    assert (neutral["rule"], group["dialect"], group["params"]) == ("adamw", "adamw", list(NAMES))
    assert neutral["steps"] == neutral["state"]["w"]["step"] == HALF
    assert group["weight_decay"] == 0.1
    assert {type(v) for v in neutral["state"]["w"].values()} == {int, np.ndarray}
    second = named()
    second.start(first.half)
    back = convert(neutral, "adamas", second.source)
    for number, entry in first.state["state"].items():
        assert all(torch.equal(entry[key], back["state"][number][key]) for key in entry)


def wide(**options: Any) -> tuple[Any, list[Array]]:
    """An adamas optimizer of arrays large enough to be kept in few bits, after three steps."""
    random = np.random.default_rng(3)
    held = {"w": random.normal(size=(40, 150)), "b": random.normal(size=5000)}
    held = {name: one.astype(np.float32) for name, one in held.items()}
    optimizer = adamas.AdamW(held, lr=1e-2, threads=1, **options)
    for _ in range(3):
        optimizer.step({n: random.normal(size=a.shape).astype("f") for n, a in held.items()})
    return optimizer, list(held.values())


@pytest.mark.parametrize("form", ["float32", "bfloat16", "int8", "int4"])
def test_adamas_to_adamas_is_bit_for_bit(form: str) -> None:
    """Codes, scales, keys of rounding and the seed go from NumPy to PyTorch and back untouched."""
    source, arrays = wide(state=form, seed=7)
    saved = source.state_dict()
    params = [torch.nn.Parameter(torch.tensor(one)) for one in arrays]
    face = adamas.torch.AdamW(list(zip("wb", params, strict=True)), state=form)
    face.load_state_dict(convert(saved, source, face))
    twin = adamas.AdamW({n: a.copy() for n, a in zip("wb", arrays, strict=True)}, state=form)
    twin.load_state_dict(convert(face.state_dict(), face, twin))
    again = twin.state_dict()
    assert again["seed"] == 7
    assert again["param_groups"] == saved["param_groups"]
    for name, entry in saved["state"].items():
        assert again["state"][name].keys() == entry.keys()
        for key, value in entry.items():
            np.testing.assert_array_equal(again["state"][name][key], value)


@pytest.mark.parametrize("form", ["bfloat16", "int8", "int4"])
def test_few_bits_are_decoded_when_they_leave(form: str) -> None:
    """torch.optim gets the float32 numbers that the codes stand for, not the codes."""
    source, arrays = wide(state=form)
    params = [torch.nn.Parameter(torch.tensor(one)) for one in arrays]
    there = torch.optim.AdamW(list(zip("wb", params, strict=True)), lr=1e-3)
    there.load_state_dict(convert(source.state_dict(), source, there))
    assert there.param_groups[0]["lr"] == 1e-2
    for name, p in zip("wb", params, strict=True):
        values = source.values(name)
        assert there.state[p].keys() == {"step", "exp_avg", "exp_avg_sq"}
        np.testing.assert_array_equal(there.state[p]["exp_avg"], values["m"])
        np.testing.assert_array_equal(there.state[p]["exp_avg_sq"], values["v"])


@pytest.mark.parametrize("form", ["bfloat16", "int8"])
def test_numbers_are_encoded_where_they_arrive(form: str) -> None:
    """An optimizer of few bits keeps its storage, and its codes stand for what was given."""
    source, arrays = wide(state=form)
    plain = {name: source.values(name) for name in ("w", "b")}
    target = adamas.AdamW({n: a.copy() for n, a in zip("wb", arrays, strict=True)}, state=form)
    float32, _ = wide()
    state = float32.state_dict()
    for name, entry in state["state"].items():
        entry.update(plain[name])
    target.load_state_dict(convert(state, float32, target))
    for name, values in plain.items():
        for key, value in target.values(name).items():
            np.testing.assert_array_equal(value, values[key])
    wider = adamas.AdamW({n: a.copy() for n, a in zip("wb", arrays, strict=True)})
    wider.load_state_dict(convert(source.state_dict(), source, wider))
    np.testing.assert_array_equal(wider.values("w")["m"], plain["w"]["m"])


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        ("AdamW8bit", "adamw"), ("Adam8bit", "adamw"), ("Lion8bit", "lion"), ("AdamW", "adamw"),
        ("SGD8bit", "momentum"), ("RMSprop8bit", "rmsprop"), ("Adagrad8bit", "adagrad"),
    ],
)  # fmt: skip
def test_bitsandbytes_is_read_as_its_own_dequantizer_reads_it(make: str, rule: str) -> None:
    """Codes of 8 bits become the numbers that bitsandbytes itself makes of them."""
    bnb = pytest.importorskip("bitsandbytes")
    generator = torch.Generator().manual_seed(0)
    p = torch.nn.Parameter(torch.randn(70, 90, generator=generator))
    options = {"momentum": 0.9} if make.startswith("SGD") else {}
    source = getattr(bnb.optim, make)([("w", p)], lr=1e-3, weight_decay=0.1, **options)
    for _ in range(3):
        p.grad = torch.randn(70, 90, generator=generator)
        source.step()
    state = source.state_dict()
    neutral = convert(state, source, "adamas")
    entry = neutral["state"]["w"]
    assert (neutral["rule"], entry["step"]) == (rule, 3)
    assert (neutral["param_groups"][0]["lr"], neutral["param_groups"][0]["weight_decay"]) == (
        1e-3, 0.1,
    )  # fmt: skip
    states = [key for key in entry if key != "step"]
    assert states == list(adamas.rules.__dict__[rule].__code__.co_varnames[2 : 2 + len(states)])
    for k, key in enumerate(states, 1):
        kept = source.state[p][f"state{k}"]
        if kept.dtype == torch.uint8:
            kept = bnb.functional.dequantize_blockwise(
                kept, absmax=source.state[p][f"absmax{k}"], code=source.state[p][f"qmap{k}"],
                blocksize=256,
            )  # fmt: skip
        np.testing.assert_allclose(entry[key], kept.float().numpy(), rtol=1e-6, atol=1e-12)


def test_bitsandbytes_of_full_width_is_continued() -> None:
    """32-bit AdamW of bitsandbytes and twenty steps of torch's are forty of bitsandbytes."""
    bnb = pytest.importorskip("bitsandbytes")
    first = forty(Torch(bnb.optim.AdamW, lr=1e-2, weight_decay=0.1), "float32")
    assert going_on(first, named(), "float32") < FLOAT32


def test_schedulefree_is_converted_in_training_only() -> None:
    """In evaluation the parameters are averages, and the state would be that of another point."""
    schedulefree = pytest.importorskip("schedulefree")
    run = Torch(schedulefree.AdamWScheduleFree, lr=1e-2)
    trained(run, *sample("float32", 3))
    run.source.eval()
    with pytest.raises(ValueError, match="train"):
        convert(run.saved(), run.source, "adamas")


def layouts() -> tuple[Any, Any]:
    """A torch layer of two and three features with a state, and arrays the other way round."""
    layer = torch.nn.Linear(2, 3)
    optimizer = torch.optim.AdamW(layer.named_parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    arrays = {"kernel": np.ones((2, 3), np.float32), "bias": np.ones(3, np.float32)}
    return optimizer, adamas.AdamW(arrays)


def test_layouts_are_turned_where_one_says_so() -> None:
    """A layer whose weights lie the other way round is told by name, and turned on request."""
    source, target = layouts()
    state = source.state_dict()
    with pytest.raises(ValueError, match=r"'kernel' has shape \(3, 2\).*\(2, 3\).*np\.transpose"):
        convert(state, source, target, {"weight": "kernel"})
    found = convert(state, source, target, {"weight": ("kernel", np.transpose)})
    target.load_state_dict(found)
    np.testing.assert_array_equal(target.state["kernel"]["m"], state["state"][0]["exp_avg"].T)


def test_a_parameter_of_the_source_may_be_left_out() -> None:
    """None for a name: what the target has not is left behind, once one says so."""
    source, _ = layouts()
    target = adamas.AdamW({"bias": np.ones(3, np.float32)})
    state = source.state_dict()
    with pytest.raises(ValueError, match=r"\['weight'\] of the source"):
        convert(state, source, target)
    found = convert(state, source, target, {"weight": None})
    assert list(found["state"]) == ["bias"] and found["state"]["bias"]["step"] == 1


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (None, r"\['weight'\] of the source, \['kernel'\] of the target"),
        (lambda name: "kernel", "kernel to several"),
        ({"bias": "kernel", "weight": "b"}, r"\['b'\] of the source, \['bias'\] of the target"),
    ],
)
def test_names_without_a_partner_are_listed(names: Any, told: str) -> None:
    """Nothing is left out in silence: who is missing on which side stands in the message."""
    source, target = layouts()
    with pytest.raises(ValueError, match=told):
        convert(source.state_dict(), source, target, names)


def test_hyper_parameters_go_along_by_name() -> None:
    """lr, betas, eps and decay of every group arrive under the names that the target has."""
    held = [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(3))]
    groups = [
        {"params": [("w", held[0])], "lr": 0.5, "betas": (0.8, 0.7), "eps": 1e-5},
        {"params": [("b", held[1])], "weight_decay": 0.25},
    ]
    source = torch.optim.AdamW(groups)
    arrays = {"w": np.ones(2, np.float32), "b": np.ones(3, np.float32)}
    two = adamas.AdamW([{"params": {"w": arrays["w"]}}, {"params": {"b": arrays["b"]}}])
    two.load_state_dict(convert(source.state_dict(), source, two))
    first, second = two.param_groups
    assert {k: first[k] for k in ("lr", "beta1", "beta2", "eps", "weight_decay")} == {
        "lr": 0.5, "beta1": 0.8, "beta2": 0.7, "eps": 1e-5, "weight_decay": 0.01,
    }  # fmt: skip
    assert (second["lr"], second["weight_decay"]) == (1e-3, 0.25)
    back = convert(two.state_dict(), two, source)
    assert back["param_groups"][0]["betas"] == (0.8, 0.7)
    one = adamas.AdamW({n: a.copy() for n, a in arrays.items()})
    with pytest.raises(ValueError, match="meet in one group"):
        convert(source.state_dict(), source, one)


def test_what_no_number_says_is_told() -> None:
    """A schedule stays with whoever has it, and so does the direction; one hears of both."""
    arrays = dict(zip(NAMES, sample("float32", 1)[0], strict=True))
    scheduled = adamas.AdamW(arrays, lr=adamas.schedule.cosine(1e-2, steps=100), weight_decay=0.1)
    target = named()
    target.start(list(arrays.values()))
    with pytest.warns(UserWarning, match=r"lr=0\.01 \(the source has .*cosine"):
        found = convert(scheduled.state_dict(), scheduled, target.source)
    assert found["param_groups"][0]["lr"] == 1e-2
    up = named(maximize=True)
    up.start(list(arrays.values()))
    with pytest.warns(UserWarning, match="maximize=False"):
        convert(up.saved(), up.source, target.source)


COSINE = adamas.schedule.cosine(1e-2, steps=100)


def test_schedules_of_the_torch_face_are_told_or_handed_on() -> None:
    """A schedule never becomes a number in silence; between our faces it goes along by its text."""
    params, grads = sample("float32", 4)
    made = {"lr": COSINE, "betas": (adamas.schedule.constant(0.8), 0.999), "weight_decay": 0.1}
    face = Torch(adamas.torch.AdamW, **made)
    trained(face, params, grads)
    for target in (named(betas=(0.8, 0.999)), Adamas(rules.adamw, weight_decay=0.1, beta1=0.8)):
        target.start(params)
        with pytest.warns(UserWarning, match=r"lr=[0-9.]+ \(the source has cosine\(0\.01"):
            target.load(convert(face.saved(), face.source, target.source))
    numpy = Adamas(rules.adamw, lr=COSINE, beta1=made["betas"][0], weight_decay=0.1)
    trained(numpy, params, grads)
    for source in (face, numpy):
        plain = Torch(adamas.torch.AdamW, weight_decay=0.1)
        plain.start(params)
        plain.load(convert(source.saved(), source.source, plain.source))
        group = plain.source.param_groups[0]
        assert group["schedules"] == {"lr": repr(COSINE), "beta1": "constant(0.8)"}
        assert (group["lr"], group["betas"]) == (COSINE(4), (0.8, 0.999))
        plain.step(grads[0])
        assert plain.source.param_groups[0]["lr"] == COSINE(5)


def test_a_target_keeps_its_own_schedule() -> None:
    """Who was made with a schedule goes on with it, and one hears that the source had a number."""
    params, grads = sample("float32", 3)
    source = named()
    trained(source, params, grads)
    for target in (
        Torch(adamas.torch.AdamW, lr=COSINE, weight_decay=0.1),
        Adamas(rules.adamw, lr=COSINE, weight_decay=0.1),
    ):
        target.start(params)
        with pytest.warns(UserWarning, match=r"lr=cosine.*\(the source has 0\.01\)"):
            target.load(convert(source.saved(), source.source, target.source))
        target.step(grads[0])


@pytest.mark.parametrize(
    ("make", "options", "who", "told"),
    [
        (torch.optim.SGD, {"momentum": 0.9}, "torch.Adam", "exp_avg, exp_avg_sq.*has momentum_buf"),
        (torch.optim.RMSprop, {}, "torch.Adam", "exp_avg, exp_avg_sq.*has square_avg"),
        (torch.optim.Adam, {}, "torch.RMSprop", "square_avg.*has exp_avg"),
        (torch.optim.Adamax, {}, "torch.NAdam", "exp_avg.*has exp_inf"),
    ],
)
def test_a_state_of_another_class_is_refused(
    make: Any, options: dict[str, Any], who: str, told: str
) -> None:
    """A name that does not fit the state is told with what the class would keep."""
    run = Torch(make, **options)
    trained(run, *sample("float32", 2))
    with pytest.raises(ValueError, match=f"no state of {who}, which keeps {told}"):
        convert(run.saved(), who, "adamas")


def test_what_the_source_lacks_begins_anew() -> None:
    """A conversion is a load: what the source never stepped keeps nothing of the target's past."""
    params, grads = sample("float32", 3)
    source, target = named(), Adamas(rules.adamw, weight_decay=0.1)
    trained(source, params, grads)
    trained(target, params, grads)
    state = source.saved()
    del state["state"][1]
    found = convert(state, source.source, target.source)["state"]
    assert (found["w"]["step"], found["b"]["step"]) == (3, 0)
    assert found["w"]["m"].any() and not found["b"]["m"].any() and not found["b"]["v"].any()


def test_what_comes_back_is_memory_of_its_own() -> None:
    """Writing into what was converted changes nothing of what was given."""
    first, second = Adamas(rules.adam), Adamas(rules.adam)
    trained(first, *sample("float32", 2))
    second.start(sample("float32", 1)[0])
    state = first.saved()
    before = copy.deepcopy(state["state"])
    for found in (convert(state, "adamas", "adamas"), convert(state, "adamas", second.source)):
        found["state"]["w"]["m"][:] = 7.0
    np.testing.assert_array_equal(state["state"]["w"]["m"], before["w"]["m"])


def test_adam_and_adamw_are_one_without_decay() -> None:
    """Where nothing decays it does not matter which of the two it is; the 0 goes along."""
    first = forty(Torch(torch.optim.Adam, lr=1e-2), "float32")
    second = named()
    assert going_on(first, second, "float32") < FLOAT32
    assert second.source.param_groups[0]["weight_decay"] == 0
    decayed = forty(Torch(torch.optim.Adam, lr=1e-2, weight_decay=0.1), "float32")
    with pytest.raises(ValueError, match=r"computes adamw .*The rule adamas\.rules\.adam goes on"):
        going_on(decayed, named(), "float32")


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        ("torch.AdamZ", "adamas", r"torch\.AdamZ is none of adamas' rules.*AdamW"),
        ("jaxopt.adam", "adamas", "no such home.*optax"),
        ("torch.AdamZ", "optax.adam", r"torch\.AdamZ is none"),
        ("torch.AdamW(", "adamas", "is not a name such as"),
        ("optax.adamw(1e-3, wd=1)", "adamas", "does not take 'wd'; it takes learning_rate"),
        ("torch.AdamW", "torch.AdamW", "the optimizer itself"),
        ("torch.AdamW", "bitsandbytes.AdamW8bit", "read only"),
        ("torch.AdamW", "optax.adamw", r"give the pair.*tx\.init\(params\)"),
        ("torch.AdamW", "keras.Adam", "the optimizer itself"),
        ("optax.adan(1e-3)", "adamas", "averages other gradient differences"),
        ("optax.adam(1e-3, eps_root=1e-8)", "adamas", "eps_root=1e-08.*no rule"),
        ("optax.adabelief(1e-3, eps_root=1e-8)", "adamas", "where eps_root equals eps"),
        ("keras.ScheduleFreeAdamW", "adamas", "weights 1/t"),
        ("keras.Adam", "adamas", "when it is built"),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_says_why(source: str, target: str, told: str) -> None:
    """A name, an option or a target that does not do is told with what would."""
    state = {"state": {0: {}}, "param_groups": [{"params": [0]}]}
    with pytest.raises(ValueError, match=told):
        convert(state, source, target)


def test_other_things_are_refused_by_type() -> None:
    """A model instead of its optimizer, a list instead of a state: one reads what to give."""
    source, target = layouts()
    with pytest.raises(TypeError, match="Linear is no optimizer"):
        convert(source.state_dict(), torch.nn.Linear(1, 1), target)
    with pytest.raises(ValueError, match=r"state_dict\(\) gives.*this is list"):
        convert([], "torch.AdamW", target)
    with pytest.raises(ValueError, match=r"state_dict\(\) gives"):
        convert({}, "adamas", source)
    with pytest.raises(TypeError, match="names= is a dict or a function, not list"):
        convert(source.state_dict(), source, target, names=["kernel"])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="names= has 'wieght', which is no parameter"):
        convert(source.state_dict(), source, "adamas", names={"wieght": "kernel"})
    for wrong in ({"weight": ["kernel", np.transpose]}, {"weight": ("a", "b")}, {"weight": 1.5}):
        with pytest.raises(TypeError, match=r"names= gives .* for 'weight'.*a pair \(a tuple\)"):
            convert(source.state_dict(), source, target, names=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Nonsense is none of adamas' rules"):
        convert({"state": {}, "param_groups": []}, "torch.Nonsense", "adamas")
    with pytest.raises(ValueError, match="dialect"):
        convert(source.state_dict(), source, target, dialect="torch")  # type: ignore[arg-type]


def test_averages_go_between_the_faces() -> None:
    """The average of NumPy's optimizer is adamas.torch's, and one that has no place is refused."""
    params, grads = sample("float32")
    first = Adamas(rules.adam, ema=0.9)
    trained(first, params, grads[:3])
    average = first.source.state["w"]["average"]
    face, without = Torch(adamas.torch.Adam, ema=0.9), Torch(adamas.torch.Adam)
    for run in (face, without):
        run.start(params)
    face.load(convert(first.saved(), first.source, face.source))
    np.testing.assert_array_equal(face.saved()["state"][0]["average"], average)
    again = Adamas(rules.adam, ema=0.9)
    again.start(params)
    again.load(convert(face.saved(), face.source, again.source))
    np.testing.assert_array_equal(again.source.state["w"]["average"], average)
    with pytest.raises(ValueError, match="average"):
        without.load(convert(first.saved(), first.source, without.source))


def test_an_average_goes_along_or_is_told() -> None:
    """The average of the parameters has a place at the target, or the user hears of it."""
    params, grads = sample("float32")
    first, second, without = (Adamas(rules.adam, **o) for o in ({"ema": 0.9}, {"ema": 0.9}, {}))
    trained(first, params, grads[:3])
    for run in (second, without):
        run.start(params)
    second.load(convert(first.saved(), first.source, second.source))
    np.testing.assert_array_equal(
        second.source.state["w"]["average"], first.source.state["w"]["average"]
    )
    with pytest.warns(UserWarning, match="no average"):
        convert(first.saved(), first.source, without.source)
    with pytest.raises(ValueError, match="keeps an average"):
        convert(without.saved(), without.source, second.source)
