"""Models small enough that what training must do to them is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from tvir.contracts.data import Examples, ImageSpec, VectorSpec
from tvir.contracts.diagram import Diagram
from tvir.contracts.model import Adam, GenerativeModel, ModelConfig, Phase, Player, Stage
from tvir.contracts.noise import mix_seed
from tvir.contracts.run import DataRecord, Precision, RunFolder, RunRecord, SpecRecord

PLANE = VectorSpec(features=2)
DIGITS = ImageSpec(channels=1, height=8, width=8, classes=("a", "b"))
FLOAT32 = Precision(decided_by="request")


def plane_examples(count=300, seed=0):
    rows = np.random.default_rng(seed).normal((3.0, -1.0), 0.5, size=(count, 2))
    return Examples(PLANE, rows.astype(np.float32))


def digit_examples(count=96, seed=0):
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)
    return Examples(DIGITS, rows, generator.integers(0, 2, count))


class Toy(GenerativeModel):
    paper = "none"
    specs = (VectorSpec, ImageSpec)

    def diagram(self):
        return Diagram(boxes=(), arrows=())


class Mean(Toy):
    """Learns one point by least squares; the best one is the mean of the data."""

    @dataclass(frozen=True, kw_only=True)
    class Config(ModelConfig):
        batch_size: int = 32
        ema_half_life: float = 500.0
        learning_rate: float = 0.05
        bad_from: int = 10**9
        bad_until: int = 10**9
        spread: float = 0.0

    def __init__(self, spec, config):
        super().__init__(spec, config)
        self.point = nn.Parameter(torch.zeros(spec.shape))
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def loss(self, batch):
        self.calls += 1
        noisy = batch.data + self.config.spread * batch.noise.normal(*self.spec.shape)
        losses = {"square": (noisy - self.point).square().flatten(1).sum(1).mean()}
        if self.config.bad_from <= batch.step < self.config.bad_until:
            losses["bad"] = self.point.sum() * float("nan")
        return losses

    def stages(self):
        settings = Adam(learning_rate=self.config.learning_rate, warmup_steps=3, final_share=0.1)
        player = Player(name="point", parameters=[self.point], optimiser=settings)
        return [Stage(name="fit", phases=[Phase(name="fit", player=player, loss=self.loss)])]

    def generate(self, noise, condition):
        return self.point + 0.5 * noise.normal(*self.spec.shape)


class Duel(Toy):
    """Five critic steps for one of the generator, a lazy penalty that is differentiated twice, and dropout."""

    @dataclass(frozen=True, kw_only=True)
    class Config(ModelConfig):
        batch_size: int = 16
        ema_half_life: float = 200.0
        dropout: float = 0.2

    def __init__(self, spec, config):
        super().__init__(spec, config)
        size = int(np.prod(spec.shape))
        self.generator = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, size))
        self.critic = nn.Sequential(
            nn.Flatten(), nn.Linear(size, 16), nn.Softplus(), nn.Dropout(config.dropout), nn.Linear(16, 1)
        )

    def generate(self, noise, condition):
        return self.generator(noise.normal(4)).view(-1, *self.spec.shape)

    def play(self, batch):
        return {"fool": -self.critic(self.generate(batch.noise, None)).mean()}

    def judge(self, batch):
        return {"game": self.critic(self.generate(batch.noise, None)).mean() - self.critic(batch.data).mean()}

    def penalise(self, batch):
        data = batch.data.detach().requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(data).sum(), data, create_graph=True)
        return {"penalty": 4 * slope.square().flatten(1).sum(1).mean()}

    def stages(self):
        generator = Player(name="generator", parameters=list(self.generator.parameters()))
        critic = Player(name="critic", parameters=list(self.critic.parameters()), optimiser=Adam(betas=(0.0, 0.99)))
        phases = [
            Phase(name="critic", player=critic, loss=self.judge),
            Phase(name="penalty", player=critic, loss=self.penalise, every=4),
            Phase(name="generator", player=generator, loss=self.play, every=5),
        ]
        return [Stage(name="duel", phases=phases)]


class ClosedForm(Toy):
    """A Gaussian that needs no step at all."""

    def __init__(self, spec, config):
        super().__init__(spec, config)
        self.register_buffer("mean", torch.zeros(spec.features))
        self.register_buffer("factor", torch.eye(spec.features))

    def fit(self, examples):
        data = examples.spec.to_model(examples.take(np.arange(len(examples))))
        self.mean.copy_(data.mean(0))
        self.factor.copy_(torch.linalg.cholesky(torch.cov(data.T)))

    def stages(self):
        return [Stage(name="fit", prepare=self.fit)]

    def generate(self, noise, condition):
        return self.mean + noise.normal(self.spec.features) @ self.factor.T


class Stairs(Toy):
    """Three stages: a fit, a closed form in between, and a fit that builds on both."""

    @dataclass(frozen=True, kw_only=True)
    class Config(ModelConfig):
        batch_size: int = 16
        ema_half_life: float = 100.0

    def __init__(self, spec, config):
        super().__init__(spec, config)
        self.first = nn.Parameter(torch.zeros(spec.features))
        self.second = nn.Parameter(torch.zeros(spec.features))
        self.register_buffer("scale", torch.ones(spec.features))
        self.register_buffer("start", torch.zeros(spec.features))
        self.prepared = []

    def measure(self, examples):
        self.prepared.append("closed")
        self.scale.copy_(examples.spec.to_model(examples.take(np.arange(len(examples)))).std(0))

    def remember(self, examples):
        self.prepared.append("second")
        self.start.copy_(self.first.detach())

    def stages(self):
        one = Player(name="one", parameters=[self.first], optimiser=Adam(learning_rate=0.05))
        two = Player(name="two", parameters=[self.second], optimiser=Adam(learning_rate=0.05))
        fit = Phase(name="fit", player=one, loss=lambda batch: {"l": (batch.data - self.first).square().mean()})
        refit = Phase(
            name="refit", player=two, loss=lambda batch: {"l": (batch.data - self.first - self.second).square().mean()}
        )
        return [
            Stage(name="first", share=0.3, phases=[fit]),
            Stage(name="closed", share=0.0, prepare=self.measure),
            Stage(name="second", share=0.7, phases=[refit], prepare=self.remember),
        ]

    def generate(self, noise, condition):
        return self.first + self.second + self.scale * noise.normal(self.spec.features)


def build(kind, spec, seed=0, **settings):
    torch.manual_seed(mix_seed(seed, "weights"))
    return kind(spec, kind.Config(**settings))


def plan(path, spec=PLANE, budget="100steps", seed=0, precision=FLOAT32):
    folder = RunFolder(path)
    data = DataRecord(reference="toy", fingerprint="0", spec=SpecRecord.of(spec))
    folder.write(RunRecord(model="toy", data=data, budget=budget, seed=seed, precision=precision))
    return folder


def everything(folder, step):
    """All files of a checkpoint that hold numbers, as bytes."""
    parts = ("weights.safetensors", "averaged.safetensors", "optimisers.safetensors")
    return {part: (folder.checkpoints / str(step) / part).read_bytes() for part in parts}
