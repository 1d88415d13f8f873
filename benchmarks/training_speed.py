"""Training throughput of the VAE: tvir's trainer, a bare loop, and pythae's trainer, on the same networks.

    pip install -e '.[bench]'
    python benchmarks/training_speed.py --mnist PATH [--rounds 5] [--steps 150] [--width 16] [--bfloat16]

All three train the same encoder and decoder on MNIST, batch 128, with the same number of steps in every window. Each
window of each side builds fresh networks and warms up first. The bare loop is forward, backward and a fused Adam step
on batches that are gathered like the trainer's, in float32 and, where asked for, in bfloat16 as well (a processor
without it takes minutes).
"""

# The peers are installed only where they are measured.
# pyright: reportMissingImports=false

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from measuring import Timed, alternate, mnist, report

from tvir.contracts.data import Dataset
from tvir.contracts.model import Batch
from tvir.contracts.noise import Noise, mix_seed
from tvir.contracts.run import Precision
from tvir.models.vae.vae import Vae
from tvir.training.trainer import Trainer
from tvir.workflows.planning import PrecisionChoice, plan_run

WARM = 20
"""Steps before the clock starts."""


def tvir_trainer(data: Dataset, config: Vae.Config, steps: int, precision: PrecisionChoice | Precision) -> float:
    """Examples per second of the trainer as `tvir train` runs it, previews and checkpoints not counted."""
    with tempfile.TemporaryDirectory() as place:
        budget = f"{steps + WARM}steps"
        folder = plan_run("vae", data, budget=budget, config=config, out=Path(place) / "run", precision=precision)
        timed = Timed()
        torch.manual_seed(0)
        Trainer(Vae(data.spec, config), data.train, folder, observer=timed).run()
        return timed.rate(config.batch_size, WARM)


def bare_loop(data: Dataset, config: Vae.Config, steps: int, precision: Precision) -> float:
    """Examples per second of nothing but gather, forward, backward and step."""
    torch.manual_seed(0)
    vae = Vae(data.spec, config).train()
    if precision.memory_format == "channels_last":
        vae.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    phase = vae.stages()[0].phases[0]
    parameters = list(phase.player.parameters)
    optimiser = torch.optim.Adam(parameters, lr=1e-3, fused=True)
    order = np.random.default_rng(0).permutation(len(data.train))
    started = 0.0
    for step in range(steps + WARM):
        if step == WARM:
            started = time.perf_counter()
        indices = order[np.arange(step * config.batch_size, (step + 1) * config.batch_size) % len(order)]
        noise = Noise(mix_seed(0, step), count=config.batch_size)
        batch = Batch(
            data=data.spec.to_model(data.train.take(indices)), labels=None, noise=noise, step=step, progress=0.5
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=precision.autocast == "bfloat16"):
            loss = sum(phase.loss(batch).values())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[union-attr]
        optimiser.step()
    return config.batch_size * steps / (time.perf_counter() - started)


def pythae_trainer(data: Dataset, config: Vae.Config, steps: int) -> float:
    """Examples per second of pythae's trainer, by its own epochs, after one to warm up."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    torch.manual_seed(0)
    ours = Vae(data.spec, config).autoencoder

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.network = ours.encoder

        def forward(self, images: torch.Tensor) -> ModelOutput:
            mean, log_variance = self.network(images).chunk(2, 1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.network = ours.decoder

        def forward(self, latents: torch.Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.network(latents))

    logging.disable(logging.WARNING)
    images = data.spec.to_model(data.train.take(np.arange(steps * config.batch_size))).contiguous()
    with tempfile.TemporaryDirectory() as place, contextlib.redirect_stderr(io.StringIO()):
        settings = BaseTrainerConfig(
            output_dir=place,
            num_epochs=2,
            per_device_train_batch_size=config.batch_size,
            learning_rate=1e-3,
            no_cuda=True,
        )
        model = VAE(
            VAEConfig(input_dim=data.spec.shape, latent_dim=config.latent), encoder=Encoder(), decoder=Decoder()
        )
        dataset = BaseDataset(images, torch.zeros(len(images)))
        trainer = BaseTrainer(model=model, train_dataset=dataset, training_config=settings)
        trainer.prepare_training()
        started = time.perf_counter()
        trainer.train_step(epoch=1)
        return len(images) / (time.perf_counter() - started)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True, help="folder with MNIST's IDX files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--bfloat16", action="store_true", help="time both loops in bfloat16 too")
    arguments = parser.parse_args()
    data = mnist(arguments.mnist)
    config = replace(Vae.Config(), width=arguments.width, batch_size=128)
    plain, fast = Precision(), Precision(autocast="bfloat16", memory_format="channels_last")
    steps = arguments.steps

    def rate(choice: PrecisionChoice | Precision) -> float:
        return tvir_trainer(data, config, steps, choice)

    sides = [
        lambda: rate("auto"),
        lambda: pythae_trainer(data, config, steps),
        lambda: rate(plain),
        lambda: bare_loop(data, config, steps, plain),
    ]
    if arguments.bfloat16:
        sides += [lambda: rate(fast), lambda: bare_loop(data, config, steps, fast)]
    windows = alternate(sides, arguments.rounds)
    name = f"VAE on MNIST, batch 128, width {arguments.width}"
    report(name, "img/s", ["tvir (auto)", "pythae"], windows[:2])
    report(name, "img/s", ["tvir (float32)", "bare loop (float32)"], windows[2:4])
    if arguments.bfloat16:
        report(name, "img/s", ["tvir (bfloat16)", "bare loop (bfloat16)"], windows[4:])


if __name__ == "__main__":
    main()
