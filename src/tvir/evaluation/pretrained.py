"""Extractors that look through networks which others have trained: their files, and how images are made to fit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.data import Array, Dataset, ImageSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import evaluating
from tvir.contracts.tensors import header_of, load_tensors
from tvir.contracts.third_party import import_beside_torchvision
from tvir.evaluation.extractor import FeatureExtractor, Report, content_hash
from tvir.evaluation.matrices import computing_device

_CHUNK = 64

RESIZE = "bicubic-antialias"
"""How images reach the side that a transformer was trained for."""


class NeedsWeights(FeatureExtractor):
    """An extractor whose weights somebody must provide: nothing is ever downloaded."""

    file: ClassVar[str]
    """What to download, in a few words."""

    @classmethod
    @abstractmethod
    def recognises(cls, path: Path) -> bool:
        """Whether a file holds this extractor's weights. Reads no weight.

        Raises:
            UsageError: There is no such file.
        """

    @classmethod
    def found_weights(cls) -> Path | None:
        """Weights that lie on this machine already, where other programs keep theirs."""
        return None

    @classmethod
    @abstractmethod
    def load(cls, path: Path, spec: ImageSpec) -> Self:
        """The extractor with the weights of a file that it recognises.

        Raises:
            TvirError: The weights are damaged or of another architecture, or a package is missing.
        """

    @classmethod
    def prepare(cls, dataset: Dataset, *, seed: int, report: Report, weights: Sequence[Path] = ()) -> Self | None:
        del seed, report
        if not isinstance(dataset.spec, ImageSpec):
            return None
        given = next((path for path in weights if cls.recognises(path)), None) or cls.found_weights()
        return None if given is None else cls.load(given, dataset.spec)


def wanted(extractors: Iterable[type[NeedsWeights]]) -> str:
    """Which files would serve, in one line."""
    return "; ".join(f"{found.__name__}: {found.file}" for found in extractors)


def holds_tensor(path: Path, name: str) -> bool:
    """Whether a safetensors file has a tensor of this name; False for other files.

    Raises:
        UsageError: There is no such file.
    """
    if not path.is_file():
        raise UsageError(f"{path} is no file; --weights takes files of weights")
    if path.suffix != ".safetensors":
        return False
    return name in header_of(path)


def cached_file(repository: str) -> Path | None:
    """The safetensors file of a repository in the local Hugging Face cache."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(repository, "model.safetensors")
    return Path(found) if isinstance(found, str) else None


class TransformerFeatures(NeedsWeights):
    """Pooled features of a vision transformer from a safetensors file, built with the transformers package.

    The architecture follows from the shapes in the file; attention heads have 64 numbers each, as in all published
    sizes. Images become RGB, are resized to the side the network was trained for and normalised as it expects.

    Args:
        network: From normalised images to features.
        side: Pixels the network was trained for.
        name: extractor@hash, resize mode.
        spec: The data.
    """

    level = 3
    repository: ClassVar[str]
    prefix: ClassVar[str] = ""
    mean: ClassVar[tuple[float, float, float]]
    deviation: ClassVar[tuple[float, float, float]]

    def __init__(self, network: nn.Module, side: int, name: str, spec: ImageSpec) -> None:
        self._network = network.to(computing_device())
        self._side = side
        self._name = name
        self._spec = spec

    @property
    def name(self) -> str:
        return self._name

    @classmethod
    def found_weights(cls) -> Path | None:
        return cached_file(cls.repository)

    @classmethod
    @abstractmethod
    def build(cls, tensors: dict[str, Tensor], package: object) -> tuple[type, object, int]:
        """Class of the network, its configuration and its side in pixels, from the tensors of a file."""

    @staticmethod
    @abstractmethod
    def pooled(output: object) -> Tensor:
        """The features (N, D) in what the network returns."""

    @classmethod
    def load(cls, path: Path, spec: ImageSpec) -> Self:
        package = import_beside_torchvision("transformers")
        tensors = load_tensors(path, cls.prefix)
        try:
            kind, config, side = cls.build(tensors, package)
        except (KeyError, IndexError, ZeroDivisionError) as error:
            raise UsageError(f"{path} lacks {error}; it is no complete {cls.__name__}") from None
        package.logging.set_verbosity_error()
        package.logging.disable_progress_bar()
        with torch.random.fork_rng(devices=[]):
            try:
                network, about = kind.from_pretrained(
                    None, config=config, state_dict=dict(tensors), output_loading_info=True
                )
            except RuntimeError as error:
                raise UsageError(f"{path} does not fit {cls.__name__}: {str(error).splitlines()[0]}") from None
        if wrong := [*about["missing_keys"], *about["mismatched_keys"]]:
            raise UsageError(f"{path} does not fit {cls.__name__}: {wrong[0]} is missing or has another shape")
        digest = content_hash(*(tensors[key] for key in sorted(tensors)))
        name = f"{cls.__name__.lower()}@{digest}, {RESIZE}-{side}"
        return cls(network.requires_grad_(False).eval(), side, name, spec)

    def features(self, rows: Array) -> Array:
        device = computing_device()
        mean, deviation = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (self.mean, self.deviation))
        parts: list[Array] = []
        with evaluating(self._network):
            for start in range(0, len(rows), _CHUNK):
                images = as_rgb(rows[start : start + _CHUNK]).to(device).float() / 255
                size = (self._side, self._side)
                resized = F.interpolate(images, size, mode="bicubic", antialias=True).clamp(0, 1)
                parts.append(self.pooled(self._network((resized - mean) / deviation)).float().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, 1), dtype=np.float32)


def as_rgb(rows: Array) -> Tensor:
    """Image rows (N, H, W, 1, 3 or 4) as uint8 (N, 3, H, W); what is transparent is left out."""
    images = torch.from_numpy(np.array(rows)).permute(0, 3, 1, 2)
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]


def layers(tensors: dict[str, Tensor], stem: str) -> int:
    """How many numbered layers follow a stem ("encoder.layer.")."""
    numbers = {name[len(stem) :].partition(".")[0] for name in tensors if name.startswith(stem)}
    return len(numbers)
