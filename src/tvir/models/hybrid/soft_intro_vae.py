"""Soft-IntroVAE: an encoder that is its own critic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn

from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import Adam, Batch, Losses, Phase, Player, Stage
from tvir.models.hybrid.coding import CodesData, CodingConfig, squared_error
from tvir.models.vae.autoencoding import draw_latents
from tvir.objectives.divergences import normal_divergence
from tvir.objectives.elbo import evidence_bound, exponential_bound


class SoftIntroVae(CodesData):
    """A VAE whose encoder finds real data likely and made data unlikely, and whose decoder learns to be found likely.

    Equations 6 and 7 of the paper, with the constants of the authors' code: bounds are divided by the numbers in an
    example, the made are draws of the prior and reconstructions in equal parts, and the decoder is hardly rewarded for
    reconstructing what it made itself. A plain VAE comes first, so that there is something to tell apart.

    Args:
        spec: Images or vectors.
        config: The settings.

    Example:
        >>> from tvir.contracts.data import VectorSpec
        >>> soft = SoftIntroVae(VectorSpec(features=2), SoftIntroVae.smallest())
        >>> soft.reconstruct(soft.sample(3)).shape
        torch.Size([3, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(CodingConfig):
        """Settings of a Soft-IntroVAE."""

        beta_reconstruction: Annotated[float, Gt(0)] = 1.0
        """Weight of the squared error in every bound."""
        beta_divergence: Annotated[float, Ge(0)] = 0.2
        """Weight of the divergence of real examples for the encoder, and of made ones for the decoder."""
        beta_negative: Annotated[float, Ge(0)] = 2.0
        """Weight of the divergence of made examples for the encoder."""
        self_reconstruction: Annotated[float, Ge(0)] = 1e-8
        """Weight, for the decoder, of reconstructing what it made; called gamma in the paper."""
        pretraining_share: Annotated[float, Interval(gt=0.0, lt=1.0)] = 0.2
        """Share of the budget in which it learns as a plain VAE."""

    config: Config
    paper = (
        "Daniel and Tamar 2021, Soft-IntroVAE: Analyzing and Improving the Introspective Variational Autoencoder, "
        "arXiv 2012.13253"
    )

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, latent=2, batch_size=4)

    def stages(self) -> Sequence[Stage]:
        config, share = self.config, self.config.pretraining_share
        both = _player("autoencoder", [self.encoder, self.decoder], config.encoder_learning_rate)
        encoder = _player("encoder", [self.encoder], config.encoder_learning_rate)
        decoder = _player("decoder", [self.decoder], config.decoder_learning_rate)
        introspection = [
            Phase(name="encoder", player=encoder, loss=self._encoder_loss),
            Phase(name="decoder", player=decoder, loss=self._decoder_loss),
        ]
        return [
            Stage(
                name="autoencoding",
                share=share,
                phases=[Phase(name="autoencoder", player=both, loss=self._real_loss)],
            ),
            Stage(name="introspection", share=1 - share, phases=introspection),
        ]

    def _real_loss(self, batch: Batch) -> Losses:
        """The negative bound of real examples."""
        mean, log_variance, reconstructions = self._coded(batch.data, batch)
        return self._minus_bound(batch, reconstructions, mean, log_variance)

    def _encoder_loss(self, batch: Batch) -> Losses:
        """Equation 6, line 1: real examples are to be likely, made ones unlikely."""
        mean, log_variance, reconstructions = self._coded(batch.data, batch)
        made = torch.cat([reconstructions, self.decode(self.sample_prior(batch.noise))]).detach()
        made_mean, made_log_variance, again = self._coded(made, batch)
        bound = evidence_bound(
            -self.config.beta_reconstruction * squared_error(made, again),
            normal_divergence(made_mean, made_log_variance),
            self.config.beta_negative,
        )
        return {
            **self._minus_bound(batch, reconstructions, mean, log_variance),
            "made": exponential_bound(self._scale * bound).mean(),
        }

    def _decoder_loss(self, batch: Batch) -> Losses:
        """Equation 6, line 2: what is made is to be likely, and real examples are still to be reconstructed."""
        config = self.config
        with torch.no_grad():
            latents = self._draw(*self.posterior(batch.data), batch)
        made = self.decode(torch.cat([latents, self.sample_prior(batch.noise)]))
        mean, log_variance = self.posterior(made)
        losses = {
            "reconstruction": config.beta_reconstruction * squared_error(batch.data, made[: len(batch.data)]).mean(),
            "made": config.beta_divergence * normal_divergence(mean, log_variance).mean(),
        }
        if config.self_reconstruction:
            again = self.decode(self._draw(mean, log_variance, batch).detach())
            weight = config.self_reconstruction * config.beta_reconstruction
            losses["made_reconstruction"] = weight * squared_error(made.detach(), again).mean()
        return {name: self._scale * loss for name, loss in losses.items()}

    def _coded(self, examples: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and log variance of the posterior, and a reconstruction."""
        mean, log_variance = self.posterior(examples)
        return mean, log_variance, self.decode(self._draw(mean, log_variance, batch))

    def _draw(self, mean: Tensor, log_variance: Tensor, batch: Batch) -> Tensor:
        """One latent for each row; rows are one or several times as many as examples."""
        times = len(mean) // len(batch.data)
        draws = torch.cat([batch.noise.normal(*self.latent_shape) for _ in range(times)])
        return draw_latents(mean, log_variance, draws)

    def _minus_bound(self, batch: Batch, reconstructions: Tensor, mean: Tensor, log_variance: Tensor) -> Losses:
        error, divergence = squared_error(batch.data, reconstructions), normal_divergence(mean, log_variance)
        return {
            "reconstruction": self._scale * self.config.beta_reconstruction * error.mean(),
            "divergence": self._scale * self.config.beta_divergence * divergence.mean(),
        }

    @property
    def _scale(self) -> float:
        """Called s in the paper."""
        return 1 / math.prod(self.spec.shape)

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="data", role=Role.DATA),
                Box(name="encoder", role=Role.NETWORK, module=self.encoder),
                Box(name="posterior", role=Role.DISTRIBUTION),
                Box(name="prior", role=Role.NOISE),
                Box(name="decoder", role=Role.NETWORK, module=self.decoder),
                Box(name="made", role=Role.SAMPLE),
                Box(name="encoder as critic", role=Role.NETWORK, module=self.encoder),
                Box(name="likely or unlikely?", role=Role.DECISION),
            ],
            arrows=[
                Arrow("data", "encoder"),
                Arrow("encoder", "posterior"),
                Arrow("posterior", "decoder"),
                Arrow("prior", "decoder"),
                Arrow("decoder", "made"),
                Arrow("made", "encoder as critic"),
                Arrow("encoder as critic", "likely or unlikely?"),
            ],
        )


def _player(name: str, networks: Sequence[nn.Module], rate: float) -> Player:
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return Player(
        name=name, parameters=parameters, optimiser=Adam(learning_rate=rate, warmup_steps=50, final_share=0.1)
    )
