"""Lightning, Hugging Face's Trainer and Accelerate train with ours as they do with torch's.

Models are made from config objects and data from random numbers: nothing is downloaded.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from adamas.schedule import cosine
from adamas.torch import AdamW, ScheduleFreeAdamW
from torch_training import close

# What these packages warn of is their own business: deprecations, and advice on workers.
pytestmark = pytest.mark.filterwarnings("ignore")

Made = Callable[..., torch.optim.Optimizer]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def table() -> TensorDataset:
    """Thirty-two rows of data, always the same."""
    made = torch.Generator().manual_seed(3)
    x = torch.randn(32, 6, generator=made)
    return TensorDataset(x, x[:, :2].tanh())


def network() -> nn.Module:
    """A small network, always the same."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 96), nn.Tanh(), nn.Linear(96, 2))


def by_lightning(
    make: Made, precision: str = "32-true", clip: str = "norm", **given: Any
) -> list[torch.Tensor]:
    """The parameters after two epochs of Lightning, with a scheduler and clipping of its own."""
    lightning = pytest.importorskip("lightning")

    class Module(lightning.LightningModule):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            return nn.functional.mse_loss(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            opt = make(self.parameters(), lr=1e-2, **given)
            scheduler = torch.optim.lr_scheduler.OneCycleLR(opt, 1e-2, total_steps=20)
            return [opt], [{"scheduler": scheduler, "interval": "step"}]

    module = Module()
    quiet = dict.fromkeys(
        ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False
    )
    trainer = lightning.Trainer(
        max_epochs=2, accelerator="cpu", devices=1, precision=precision,
        gradient_clip_val=0.05 if clip == "value" else 0.5, gradient_clip_algorithm=clip, **quiet,
    )  # fmt: skip
    trainer.fit(module, DataLoader(table(), batch_size=8))
    return [p.detach() for p in module.parameters()]


def by_accelerate(make: Made) -> list[torch.Tensor]:
    """The parameters after two epochs of Accelerate, two batches a step, clipped."""
    accelerate = pytest.importorskip("accelerate")
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
    net = network()
    net, opt, loader = accelerator.prepare(
        net, make(net.parameters(), lr=1e-2), DataLoader(table(), batch_size=8)
    )
    for _ in range(2):
        for x, y in loader:
            with accelerator.accumulate(net):
                accelerator.backward(nn.functional.mse_loss(net(x), y))
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(net.parameters(), 0.5)
                opt.step()
                opt.zero_grad()
    return [p.detach() for p in net.parameters()]


def language_model() -> Any:
    """A GPT-2 of one layer without dropout, always the same."""
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    config = transformers.GPT2Config(
        vocab_size=61, n_positions=16, n_embd=64, n_layer=1, n_head=2,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    torch.manual_seed(0)
    return transformers.GPT2LMHeadModel(config)


def by_trainer(folder: Path, make: Made, *, resume: bool = False) -> list[torch.Tensor]:
    """The parameters after six steps of Hugging Face's Trainer, which saves after three."""
    net = language_model()
    import transformers

    made = torch.Generator().manual_seed(4)
    texts = torch.randint(61, (24, 12), generator=made)
    data = [{"input_ids": text, "labels": text} for text in texts]
    opt = make(net.named_parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.LambdaLR(opt, lambda k: 1 / (1 + k))
    arguments = transformers.TrainingArguments(
        output_dir=str(folder), max_steps=6, per_device_train_batch_size=4, save_steps=3,
        use_cpu=True, report_to=[], disable_tqdm=True, logging_strategy="no", seed=1,
    )  # fmt: skip
    trainer = transformers.Trainer(net, arguments, train_dataset=data, optimizers=(opt, scheduler))
    trainer.train(resume_from_checkpoint=str(folder / "checkpoint-3") if resume else None)
    return [p.detach() for p in net.parameters()]


@pytest.mark.parametrize("run", [by_lightning, by_accelerate])
def test_a_trainer_trains_as_with_torch(run: Callable[[Made], list[torch.Tensor]]) -> None:
    """The same loop, with schedules and clipping of its own, gives torch's parameters."""
    close(run(AdamW), run(torch.optim.AdamW))


@pytest.mark.parametrize("clip", ["norm", "value"])
@pytest.mark.parametrize("precision", ["16-mixed", "bf16-mixed", "bf16-true", "64-true"])
def test_lightning_clips_in_every_precision(precision: str, clip: str) -> None:
    """Lightning clips our gradients as it clips torch's, in each precision that it has on a CPU."""
    found, expected = (by_lightning(cls, precision, clip) for cls in (AdamW, torch.optim.AdamW))
    # Activations in half precision turn a last bit into a thousandth of a gradient; parameters in
    # it are rounded at random here and to the nearest there. All moved by about 0.05.
    far = {"64-true": 1e-9, "bf16-true": 2e-2}.get(precision, 3e-3)
    for here, there in zip(found, expected, strict=True):
        torch.testing.assert_close(here, there, rtol=0, atol=far)


def authors(*args: Any, **given: Any) -> torch.optim.Optimizer:
    """Schedule-free AdamW of its authors."""
    peers = pytest.importorskip("schedulefree")
    made: torch.optim.Optimizer = peers.AdamWScheduleFree(*args, **given)
    return made


@pytest.mark.parametrize(
    ("make", "reference"),
    [(AdamW, torch.optim.AdamW), (ScheduleFreeAdamW, authors)],
    ids=["AdamW", "ScheduleFreeAdamW"],
)
def test_hugging_face_s_trainer_trains_as_with_theirs(
    tmp_path: Path, make: Made, reference: Made
) -> None:
    """Trainer(optimizers=...) on a tiny GPT-2: their parameters after six steps."""
    found = by_trainer(tmp_path / "ours", make)
    expected = by_trainer(tmp_path / "theirs", reference)
    for here, there in zip(found, expected, strict=True):
        # Adam divides gradients near zero by themselves: their rounding is seen.
        torch.testing.assert_close(here, there, rtol=1e-4, atol=1e-4)


def test_hugging_face_s_trainer_and_a_schedule_are_one_too_many(tmp_path: Path) -> None:
    """The Trainer makes a scheduler whatever it is given: a schedule is refused with a way out."""

    def make(params: Any, lr: float) -> AdamW:
        return AdamW(params, lr=cosine(lr, steps=6))

    with pytest.raises(ValueError, match=r"schedule cosine.*trainer makes one.*LambdaLR"):
        by_trainer(tmp_path, make)


def test_hugging_face_s_trainer_resumes_codes(tmp_path: Path) -> None:
    """A run resumed from its checkpoint has the bits of the whole run, state in eight bits."""

    def make(params: Any, lr: float) -> AdamW:
        return AdamW(params, lr=lr, state="int8", seed=2)

    expected = by_trainer(tmp_path, make)
    found = by_trainer(tmp_path, make, resume=True)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
