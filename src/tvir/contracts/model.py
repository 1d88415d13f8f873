"""What a generative model is: how it learns (stages, phases, players) and what it can do (capabilities)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Self

import torch
from annotated_types import Ge, Gt
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.distributions import Distribution

from tvir.contracts.data import DataSpec, Examples
from tvir.contracts.diagram import Diagram
from tvir.contracts.errors import UsageError
from tvir.contracts.noise import Noise

NO_SETTINGS: Final[Mapping[str, Any]] = MappingProxyType({})
"""Nobody chose anything."""

Losses = Mapping[str, Tensor]
"""Named scalar terms of a loss; what is minimised is their sum. Each is a mean over the batch."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one step of training sees on one process.

    Args:
        data: Examples in model form, (N, *spec.shape).
        labels: Class indices (N,) int64, or None.
        noise: The source of all randomness that belongs to examples. Phases of one step draw from tables of
            their own, so adding a phase changes nothing for the others.
        step: Steps taken since the stage began.
        progress: Share of the stage's budget that is spent, 0 to 1.
    """

    data: Tensor
    labels: Tensor | None
    noise: Noise
    step: int
    progress: float


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Settings of one Adam optimiser (Kingma and Ba 2015, arXiv 1412.6980; decoupled decay: 1711.05101).

    Args:
        learning_rate: Step size, above 0.
        betas: Decay of the first and second moment.
        weight_decay: Decoupled weight decay; 0 for none.
        warmup_steps: Steps over which the learning rate grows linearly from 0.
        final_share: Share of the learning rate left at the end of the stage, reached along a cosine; 1 is constant.
    """

    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    warmup_steps: int = 0
    final_share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Player:
    """Parameters that are optimised together, and how. A critic, a generator, a whole VAE.

    Several phases may act for one player (a loss and its lazy penalty): they share its optimiser state.
    """

    name: str
    parameters: Sequence[nn.Parameter]
    optimiser: Adam = field(default_factory=Adam)


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One player's move in a training step.

    The trainer differentiates the sum of the losses with respect to the player's parameters *only*. A loss can
    therefore never leak into the other player, and nothing needs to be frozen or detached for that reason.

    Args:
        name: Unique within its stage; names the losses in the log.
        player: Who moves.
        loss: From a batch to named scalar terms, each a mean over the batch.
        every: The phase runs on steps divisible by this (lazy penalties, critic-to-generator ratios).
    """

    name: str
    player: Player
    loss: Callable[[Batch], Losses]
    every: int = 1


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of the budget with its own phases, which run in order at every step.

    A stage begins from the averaged (EMA) weights of the one before, so that what it builds on is what will be
    sampled from. Its optimisers start fresh.

    Args:
        name: Unique within the model.
        share: Share of the run's budget, 0 to 1; the shares of a model add up to 1.
        phases: Empty for a stage that is over once it is prepared (a model fitted in closed form).
        prepare: Called once with the training split before the first step, on every process alike: fits what
            needs a pass over the data (a prior to posterior means, a covariance). It must keep its result in
            registered buffers whose shapes follow from the config.
    """

    name: str
    share: float = 1.0
    phases: Sequence[Phase] = ()
    prepare: Callable[[Examples], None] | None = None


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Settings every model has. A model nests its own frozen, keyword-only subclass named ``Config``."""

    batch_size: Annotated[int, Ge(1)] = 128
    """Examples per step, over all processes."""
    ema_half_life: Annotated[float, Gt(0)] = 10_000.0
    """Examples after which the averaged weights have forgotten half of their past."""

    def as_json(self) -> dict[str, Any]:
        """The settings as JSON values; choices become text."""
        return _adapter(type(self)).dump_python(self, mode="json")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Settings from JSON values, checked.

        Raises:
            UsageError: A setting does not exist, or its value has the wrong type or range.
        """
        known = [setting.name for setting in fields(cls)]
        if unknown := [name for name in values if name not in known]:
            raise UsageError(f"there is no setting {unknown[0]!r}; the settings are: {', '.join(known)}")
        try:
            return _adapter(cls).validate_python(dict(values))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise UsageError(f"setting {where} = {first['input']!r} is not usable: {first['msg']}") from None


@dataclass(frozen=True, kw_only=True)
class SizedConfig(ModelConfig):
    """Settings of a model whose networks all grow with one dial."""

    width: Annotated[int, Ge(1)] = 32
    """Size of the networks: channels of features 16 pixels wide, a quarter of the hidden units of perceptrons."""


@cache
def _adapter(kind: type[ModelConfig]) -> TypeAdapter[Any]:
    # Building one takes as long as a small step of training, and settings are read and written again and again.
    return TypeAdapter(kind)


class GenerativeModel(nn.Module, ABC):
    """A model that learns from examples and samples new ones.

    Subclasses are either abstract (capabilities) or final (one published model, one file under ``models``).

    Args:
        spec: What an example is.
        config: An instance of the class's own ``Config``.
    """

    Config: ClassVar[type[ModelConfig]] = ModelConfig
    paper: ClassVar[str]
    """Authors, year, title and arXiv number of the method."""
    specs: ClassVar[tuple[type[DataSpec], ...]]
    """Kinds of data the model can be built for."""

    def __init__(self, spec: DataSpec, config: ModelConfig) -> None:
        super().__init__()
        self.spec = spec
        self.config = config

    @classmethod
    def settings_for(cls, spec: DataSpec, asked: Mapping[str, Any] = NO_SETTINGS) -> Mapping[str, Any]:
        """Settings that suit a kind of data better than the defaults of ``Config`` do, as text or numbers.

        Args:
            spec: The data.
            asked: Settings that somebody chose: they win, and others may have to follow from them.
        """
        return {}

    @classmethod
    def smallest(cls) -> ModelConfig:
        """A config that builds in milliseconds: for tests and for looking at shapes."""
        return cls.Config()

    @abstractmethod
    def stages(self) -> Sequence[Stage]:
        """How the model learns. Called once per run; may be called again on the same weights."""

    @abstractmethod
    def diagram(self) -> Diagram:
        """The model as people draw it: noise, networks, data, decisions."""

    @abstractmethod
    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        """One example for every row of noise, (noise.count, *spec.shape); ``condition`` has as many rows or is None."""

    def sample(
        self, count: int, *, condition: Tensor | None = None, seed: int = 0, first: int = 0, chunk: int = 256
    ) -> Tensor:
        """New examples. Sample *i* of a seed is the same whatever ``count``, ``first`` and ``chunk`` are.

        Args:
            count: How many, at least 0.
            condition: What is asked for, one row per example: class indices for a ``Conditional`` model.
            seed: Which endless row of samples.
            first: Index in that row of the first example wanted.
            chunk: Examples generated at once, which bounds memory.

        Returns:
            Examples in model form, (count, *spec.shape).
        """
        parts = []
        with evaluating(self):
            for start in range(0, count, chunk):
                size = min(chunk, count - start)
                noise = Noise(seed, count=size, first=first + start, device=self.device)
                asked = None if condition is None else condition[start : start + size].to(self.device)
                parts.append(self.generate(noise, asked))
        return torch.cat(parts) if parts else torch.empty(0, *self.spec.shape, device=self.device)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        first = next(self.parameters(), None)
        first = next(self.buffers(), None) if first is None else first
        return torch.device("cpu") if first is None else first.device


class DecodesLatents(GenerativeModel):
    """Samples by decoding latents drawn from a prior."""

    @property
    @abstractmethod
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent."""

    @abstractmethod
    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        """Latents from the prior, (noise.count, *latent_shape)."""

    @abstractmethod
    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Examples from latents (N, *latent_shape) to (N, *spec.shape)."""

    _source: Callable[[Noise], Tensor] | None = None

    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        return self.decode(self.latents_for(noise, condition), condition)

    def latents_for(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        """Latents from the prior, or from where ``latents_from`` says, (noise.count, *latent_shape)."""
        return self.sample_prior(noise, condition) if self._source is None else self._source(noise)

    @contextmanager
    def latents_from(self, source: Callable[[Noise], Tensor]) -> Iterator[None]:
        """Inside the block latents (noise.count, *latent_shape) come from ``source`` instead of the prior."""
        before, self._source = self._source, source
        try:
            yield
        finally:
            self._source = before


class EncodesData(DecodesLatents):
    """Maps examples back to latents."""

    @abstractmethod
    def encode(self, examples: Tensor, condition: Tensor | None = None) -> Distribution:
        """The posterior over latents: a distribution whose samples have shape (N, *latent_shape)."""

    def reconstruct(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        """The decoded posterior mean, (N, *spec.shape)."""
        with evaluating(self):
            return self.decode(self.encode(examples, condition).mean, condition)


class Measure(StrEnum):
    """What a log likelihood is the logarithm of, without which it cannot be compared."""

    DENSITY = "density"
    """Of the numbers of an example in model form."""
    PROBABILITY = "probability"
    """Of an example as it stands in the data, one of finitely many."""
    BINARISED = "binarised"
    """Of images of black and white pixels drawn from the gray ones: no statement about gray values."""


class HasLikelihood(GenerativeModel):
    """Knows the exact density of an example."""

    @property
    def measure(self) -> Measure:
        """What ``log_prob`` is the logarithm of."""
        return Measure.DENSITY

    @abstractmethod
    def log_prob(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        """Exact log density or probability per example in nats, (N,)."""


class HasLikelihoodBound(GenerativeModel):
    """Knows a lower bound of the density. A type of its own: bounds and exact values never share a column."""

    @property
    def measure(self) -> Measure:
        """What ``elbo`` bounds the logarithm of."""
        return Measure.DENSITY

    @abstractmethod
    def elbo(self, examples: Tensor, noise: Noise, samples: int = 1) -> Tensor:
        """A lower bound of the log density per example in nats, (N,).

        ``samples`` > 1 gives the importance-weighted bound (Burda et al. 2016, arXiv 1509.00519).
        """


class HasLatentDensity(HasLikelihoodBound, DecodesLatents):
    """Knows the two factors of log p(x, z), and so lets a bound be checked by annealing from the prior."""

    @abstractmethod
    def log_prior(self, latents: Tensor) -> Tensor:
        """Log p(z) in nats, (N,), differentiable in the latents (N, *latent_shape)."""

    @abstractmethod
    def log_likelihood(self, examples: Tensor, latents: Tensor) -> Tensor:
        """Log p(x|z) in nats, (N,), differentiable in the latents; one latent for each example."""


class JudgesExamples(GenerativeModel):
    """Has a critic of single examples."""

    @abstractmethod
    def judge(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        """The critic's logits, (N,) or (N, 1): the higher, the more real. Fewer where it judges packs of examples."""


class JudgesReconstructions(EncodesData, JudgesExamples):
    """Has a critic of single examples that has learned to tell them from reconstructions: samples are strange to it."""


class SamplesInSteps(GenerativeModel):
    """Samples by coming closer in steps; how many may still be chosen once it has learned."""

    steps: int
    """Steps that a sample takes, at least 1: the more, the slower."""

    @contextmanager
    def sampling_in(self, steps: int) -> Iterator[None]:
        """Inside the block a sample takes so many steps, at least 1."""
        before, self.steps = self.steps, steps
        try:
            yield
        finally:
            self.steps = before


class SamplesTokens(GenerativeModel):
    """Draws one token after the other; how boldly may still be chosen once it has learned."""

    temperature: float = 1.0
    """Logits are divided by it, above 0: below 1 the probable becomes more so."""
    top_p: float = 1.0
    """Share of the probability that is drawn from, the most probable tokens first, in (0, 1]."""

    @contextmanager
    def drawing_with(self, temperature: float = 1.0, top_p: float = 1.0) -> Iterator[None]:
        """Inside the block tokens are drawn so (Holtzman et al. 2020, arXiv 1904.09751, for ``top_p``)."""
        before = (self.temperature, self.top_p)
        self.temperature, self.top_p = temperature, top_p
        try:
            yield
        finally:
            self.temperature, self.top_p = before


class ContinuesText(SamplesTokens):
    """Goes on with a text that somebody has begun."""

    @abstractmethod
    def continued(self, begun: Tensor, noise: Noise, condition: Tensor | None = None) -> Iterator[int]:
        """The tokens that follow, each as soon as it is known, until the text ends or is full.

        Args:
            begun: The tokens there are, int64 (P,) with P below the length; none begins a new text.
            noise: One row.
            condition: The class of the text for a ``Conditional`` model, (1,); None draws one.
        """


class Conditional(GenerativeModel):
    """Can be asked for a class: ``condition`` is a tensor (N,) of class indices; without one, classes are drawn."""


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """No gradients and no training-time behaviour inside the block."""
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(training)
