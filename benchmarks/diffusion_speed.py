"""Diffusion training against diffusers' own example loop, on the same U-Net.

    pip install -e '.[families,bench]'
    python benchmarks/diffusion_speed.py --mnist PATH [--rounds 5] [--steps 60] [--width 16]

Both sides train the U-Net of `tvir train diffusion` on MNIST at batch 64 to find the noise of DDPM, with the same
number of steps in every window, in float32. The peer is the loop of diffusers' examples/unconditional_image_generation
without accelerate: a DataLoader, scheduler.add_noise, mean squared error, AdamW, gradients clipped to norm 1, a cosine
learning rate, and diffusers' EMAModel.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from measuring import Timed, alternate, mnist, report
from training_speed import WARM

from tvir.contracts.data import Dataset
from tvir.contracts.run import Precision
from tvir.models.diffusion.diffusion import Diffusion
from tvir.objectives.diffusing import Epsilon
from tvir.training.trainer import Trainer
from tvir.workflows.planning import plan_run


def tvir_trainer(data: Dataset, config: Diffusion.Config, steps: int) -> float:
    """Examples per second of the trainer as `tvir train` runs it, previews and checkpoints not counted."""
    with tempfile.TemporaryDirectory() as place:
        budget = f"{steps + WARM}steps"
        out = Path(place) / "run"
        folder = plan_run("diffusion", data, budget=budget, config=config, out=out, precision=Precision())
        timed = Timed()
        torch.manual_seed(0)
        Trainer(Diffusion(data.spec, config), data.train, folder, observer=timed).run()
        return timed.rate(config.batch_size, WARM)


def diffusers_loop(data: Dataset, config: Diffusion.Config, steps: int) -> float:
    """Examples per second of diffusers' example loop."""
    from diffusers.optimization import get_scheduler
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
    from diffusers.training_utils import EMAModel
    from torch.utils.data import DataLoader, TensorDataset

    torch.manual_seed(0)
    network = Diffusion(data.spec, config).network.train()
    scheduler = DDPMScheduler(num_train_timesteps=1000)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4, betas=(0.95, 0.999), weight_decay=1e-6)
    rates = get_scheduler("cosine", optimizer=optimiser, num_warmup_steps=100, num_training_steps=steps + WARM)
    averaged = EMAModel(network.parameters(), decay=0.9999, use_ema_warmup=True)
    images = data.spec.to_model(data.train.rows[: (steps + WARM) * config.batch_size]).contiguous()
    loader = DataLoader(TensorDataset(images), batch_size=config.batch_size, shuffle=True)
    started = 0.0
    for step, (clean,) in enumerate(loader):
        if step == WARM:
            started = time.perf_counter()
        noise = torch.randn(clean.shape)
        times = torch.randint(0, 1000, (len(clean),), dtype=torch.int64)
        noisy = scheduler.add_noise(clean, noise, times)  # type: ignore[arg-type]
        loss = F.mse_loss(network(noisy, times / 1000).float(), noise)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        rates.step()
        optimiser.zero_grad()
        averaged.step(network.parameters())
    return config.batch_size * steps / (time.perf_counter() - started)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True, help="folder with MNIST's IDX files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--width", type=int, default=16)
    arguments = parser.parse_args()
    data = mnist(arguments.mnist)
    config = replace(Diffusion.Config(), width=arguments.width, batch_size=64, parametrisation=Epsilon())
    steps = arguments.steps
    sides = [lambda: tvir_trainer(data, config, steps), lambda: diffusers_loop(data, config, steps)]
    windows = alternate(sides, arguments.rounds)
    name = f"U-Net on MNIST, batch 64, width {arguments.width}"
    report(name, "img/s", ["tvir (float32)", "diffusers' example loop"], windows)


if __name__ == "__main__":
    main()
