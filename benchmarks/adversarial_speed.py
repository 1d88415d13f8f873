"""Training throughput of a GAN: tvir's trainer and torchgan's, on the same DCGAN networks, with the memory of each.

    pip install --target PEERS --no-deps torchgan==0.1.0     # it wants another torchvision than this torch has
    PYTHONPATH=PEERS python benchmarks/adversarial_speed.py --mnist PATH [--rounds 5] [--steps 100] [--width 16]

Both train the generator and the critic of `--network dcgan` on MNIST with the non-saturating loss, Adam at 2e-4 and
batch 64, as many steps in every window, each window in a process of its own. torchgan's pictures and checkpoints at the
end of an epoch are left out of its time, as ours are out of tvir's.
"""

# The peers are installed only where they are measured.
# pyright: reportMissingImports=false

from __future__ import annotations

import argparse
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from measuring import Timed, alternate, mnist, report
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from tvir.contracts.data import Dataset
from tvir.contracts.third_party import import_beside_torchvision
from tvir.models.gan.gan import Gan
from tvir.training.memory import peak_memory
from tvir.training.trainer import Trainer
from tvir.workflows.planning import plan_run

BATCH = 64
WARM = 20
"""Steps before the clock starts."""


def settings(width: int) -> Gan.Config:
    """Both sides play this."""
    return Gan.Config.from_json({
        "network": "dcgan", "loss": "non-saturating", "regulariser": "none", "augmentation": "none", "width": width,
        "batch_size": BATCH, "generator_learning_rate": 2e-4, "critic_learning_rate": 2e-4, "generator_warmup": 0,
    })  # fmt: skip


def tvir_rate(data: Dataset, width: int, steps: int) -> float:
    """Examples per second of the trainer as ``tvir train`` runs it."""
    config = settings(width)
    with tempfile.TemporaryDirectory() as place:
        folder = plan_run("gan", data, budget=f"{steps + WARM}steps", config=config, out=Path(place) / "run")
        timed = Timed()
        torch.manual_seed(0)
        Trainer(Gan(data.spec, config), data.train, folder, observer=timed).run()
        return timed.rate(BATCH, WARM)


def torchgan_rate(data: Dataset, width: int, steps: int) -> float:
    """Examples per second of torchgan's trainer over an epoch, after a short one to warm up."""
    os.environ |= {"TENSORBOARD_LOGGING": "0", "VISDOM_LOGGING": "0", "CONSOLE_LOGGING": "0"}
    import_beside_torchvision("torchgan")
    from torchgan.losses import MinimaxDiscriminatorLoss, MinimaxGeneratorLoss
    from torchgan.models import Discriminator, Generator
    from torchgan.trainer import Trainer as TorchganTrainer

    torch.manual_seed(0)
    config = settings(width)
    ours = Gan(data.spec, config)

    class Maker(Generator):
        def __init__(self) -> None:
            super().__init__(config.latent)
            self.network = ours.generator

        def forward(self, latents: Tensor) -> Tensor:
            return torch.tanh(self.network(latents))

    class Critic(Discriminator):
        def __init__(self) -> None:
            super().__init__(1)
            self.network = ours.discriminator

        def forward(self, images: Tensor) -> Tensor:
            return self.network(images).squeeze(1)

    adam = {"name": torch.optim.Adam, "args": {"lr": 2e-4, "betas": (0.5, 0.99)}}
    images = data.spec.to_model(data.train.take(np.arange(steps * BATCH))).contiguous()
    with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(io.StringIO()):
        trainer = TorchganTrainer(
            {"generator": {"name": Maker, "optimizer": adam}, "discriminator": {"name": Critic, "optimizer": adam}},
            [MinimaxGeneratorLoss(), MinimaxDiscriminatorLoss()],
            device=torch.device("cpu"), epochs=1, checkpoints=f"{place}/model/gan", recon=f"{place}/images",
        )  # fmt: skip
        trainer.save_model = lambda *_, **__: None
        trainer.logger.run_end_epoch = lambda *_, **__: None
        trainer(DataLoader(TensorDataset(images[: WARM * BATCH], torch.zeros(WARM * BATCH)), BATCH, shuffle=True))
        started = time.perf_counter()
        trainer(DataLoader(TensorDataset(images, torch.zeros(len(images))), BATCH, shuffle=True))
        return len(images) / (time.perf_counter() - started)


RATES = {"tvir": tvir_rate, "torchgan": torchgan_rate}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True, help="folder with MNIST's IDX files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--one", choices=list(RATES), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        rate = RATES[asked.one](mnist(asked.mnist), asked.width, asked.steps)
        print(rate, peak_memory() or 0)
        return
    memory: dict[str, list[int]] = {name: [] for name in RATES}

    def side(name: str) -> float:
        rate, peak = _apart([*sys.argv, "--one", name])
        memory[name].append(int(peak))
        return float(rate)

    windows = alternate([lambda name=name: side(name) for name in RATES], asked.rounds)
    report(f"GAN on MNIST, DCGAN of width {asked.width}, batch {BATCH}", "img/s", list(RATES), windows)
    for name, peaks in memory.items():
        print(f"  {name:<28} peak memory {max(peaks) / 2**20:.0f} MB")


def _apart(words: Sequence[str]) -> list[str]:
    """What a process of its own prints last, in words."""
    return subprocess.run([sys.executable, *words], check=True, capture_output=True, text=True).stdout.split()[-2:]


if __name__ == "__main__":
    main()
