"""Making examples of points: a latent with a class, or a seed for models without latents."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import Array, ImageSpec
from tvir.contracts.model import Conditional, DecodesLatents, EncodesData, GenerativeModel, evaluating
from tvir.contracts.noise import Noise
from tvir.studio.refusal import RefusalError

_CHUNK = 64
"""Points that are decoded at once."""

_FARTHEST = 1e3
"""No number of a latent is larger; networks overflow beyond."""


_WORTH = 0.75
"""Share of the time in one thread below which further threads are worth waking."""

_TRIES = 4


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where in a model an example lies.

    Args:
        latent: Flat float32 numbers of a latent; None for a model without latents.
        condition: Class index, for a model that can be asked for one.
        seed: What it was drawn with; for a model without latents it is the point itself.
    """

    latent: Array | None = None
    condition: int | None = None
    seed: int | None = None


def _seconds(act: Callable[[], object], threads: int) -> float:
    """The shortest time that something takes in so many threads."""
    torch.set_num_threads(threads)
    times = []
    for _ in range(_TRIES):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return min(times)


class Maker:
    """What the studio asks of a model. Making and encoding are for one thread at a time, that of a ``Worker``.

    Args:
        model: With its weights, in evaluation mode.
    """

    def __init__(self, model: GenerativeModel) -> None:
        self.model = model.eval().requires_grad_(False)

    @property
    def makes_images(self) -> bool:
        return isinstance(self.model.spec, ImageSpec)

    @property
    def classes(self) -> tuple[str, ...]:
        """What the model can be asked for; empty where it cannot."""
        return self.model.spec.classes if isinstance(self.model, Conditional) else ()

    @property
    def numbers(self) -> int:
        """Numbers of a latent, 0 where there are none."""
        return int(np.prod(self.model.latent_shape)) if isinstance(self.model, DecodesLatents) else 0

    @property
    def encodes(self) -> bool:
        return isinstance(self.model, EncodesData)

    def settle(self) -> None:
        """Let the calling thread compute in as many threads as make one picture soonest.

        Small networks are done before further threads have been woken, and on a busy machine they wait for them.
        """
        if not self.numbers:
            return
        everything = torch.get_num_threads()
        point = [self.checked(Point(seed=0))]
        alone, together = (_seconds(partial(self.rows, point), threads) for threads in (1, everything))
        torch.set_num_threads(1 if together > _WORTH * alone else everything)

    def refuse_unknown_class(self, condition: int | None) -> None:
        """None asks for no class, and the first is that of all where there are no classes.

        Raises:
            RefusalError: There is no such class.
        """
        if condition is not None and not 0 <= condition < max(1, len(self.classes)):
            raise RefusalError("no-class", f"there is no class {condition}; there are {len(self.classes)}", 422)

    def checked(self, point: Point) -> Point:
        """The point as this model can make it.

        Raises:
            RefusalError: It is no point of this model.
        """
        self.refuse_unknown_class(point.condition)
        condition = (point.condition or 0) if self.classes else None
        if not self.numbers:
            if point.seed is None:
                raise RefusalError("no-latents", "this model has no latents; give a seed", 422)
            return Point(condition=condition, seed=point.seed)
        if point.latent is None:
            if point.seed is None:
                raise RefusalError("no-point", "give a latent or a seed", 422)
            return replace(point, latent=self.drawn(1, point.seed, condition)[0], condition=condition)
        latent = np.asarray(point.latent, dtype=np.float32).reshape(-1)
        if len(latent) != self.numbers or not np.isfinite(latent).all() or np.abs(latent).max() > _FARTHEST:
            reason = f"a latent of this model is {self.numbers} finite numbers of at most {_FARTHEST:.0f}"
            raise RefusalError("no-point", reason, 422)
        return replace(point, latent=latent, condition=condition)

    def drawn(self, count: int, seed: int, condition: int | None = None) -> Array:
        """Latents from the prior, (count, numbers); latent *i* of a seed is always the same."""
        model = self.model
        assert isinstance(model, DecodesLatents)
        with evaluating(model):
            asked = None if condition is None else torch.full((count,), condition, device=model.device)
            drawn = model.sample_prior(Noise(seed, count=count, device=model.device), asked)
        return drawn.flatten(1).float().cpu().numpy()

    def rows(self, points: Sequence[Point]) -> Array:
        """Boundary rows (N, *row_shape) of points that were checked."""
        if not self.numbers:
            return np.concatenate([self._sampled(point) for point in points])
        parts = [points[first : first + _CHUNK] for first in range(0, len(points), _CHUNK)]
        with torch.inference_mode():
            return np.concatenate([self.model.spec.to_rows(self.decoded(*self._tensors(part))) for part in parts])

    def decoded(self, latents: Tensor, condition: Tensor | None) -> Tensor:
        """Examples in model form of flat latents (N, numbers), differentiable in them."""
        model = self.model
        assert isinstance(model, DecodesLatents)
        return model.decode(latents.unflatten(1, model.latent_shape), condition)

    def encoded(self, rows: Array, condition: int | None = None) -> Array:
        """Flat posterior means (N, numbers) of boundary rows.

        Raises:
            RefusalError: The model does not encode.
        """
        model = self.model
        if not isinstance(model, EncodesData):
            raise RefusalError("cannot-encode", "this model does not encode; come nearer to the picture instead", 422)
        asked = self.conditions([condition] * len(rows))
        encode = model.encode if asked is None else partial(model.encode, condition=asked)
        with torch.inference_mode():
            posterior = encode(model.spec.to_model(rows).to(model.device))
            return posterior.mean.flatten(1).float().cpu().numpy()

    def conditions(self, classes: Sequence[int | None]) -> Tensor | None:
        """Classes as the model wants them, None where it cannot be asked for one."""
        if not self.classes:
            return None
        return torch.tensor([chosen or 0 for chosen in classes], device=self.model.device)

    def _tensors(self, points: Sequence[Point]) -> tuple[Tensor, Tensor | None]:
        latents = np.stack([point.latent for point in points if point.latent is not None])
        return torch.from_numpy(latents).to(self.model.device), self.conditions([point.condition for point in points])

    def _sampled(self, point: Point) -> Array:
        assert point.seed is not None
        asked = self.conditions([point.condition])
        return self.model.spec.to_rows(self.model.sample(1, condition=asked, seed=point.seed))
