"""E4: the Inception network of 2015-12-05, through which the FID of the literature is measured."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tvir.contracts.data import Array, ImageSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import evaluating
from tvir.contracts.third_party import import_beside_torchvision
from tvir.evaluation.matrices import computing_device
from tvir.evaluation.pretrained import NeedsWeights, as_rgb

SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
"""Of the one file that is trusted. Its first eight digits are part of its published name."""

_LARGEST = 256 * 2**20
_FEATURES = 2048
_CHUNK = 32


class Inception(NeedsWeights):
    """The pooled 2,048 features of Inception-v3 with the weights and the resizing of TensorFlow 1.

    A Frechet distance in this space, and in no other, is what the literature calls FID. The file is a pickle, which is
    never read here otherwise: its bytes must have the published sha256 before anything in them is looked at.

    Reference:
        Rethinking the Inception Architecture for Computer Vision, arXiv 1512.00567; torch-fidelity's conversion.

    Known failure:
        Trained on ImageNet's classes: blind to much of what faces and digits are about (arXiv 2306.04675).
    """

    level = 4
    file = "pt_inception-2015-12-05-6726825d.pth of torch-fidelity"

    def __init__(self, network: Any, spec: ImageSpec, digest: str) -> None:
        self._network = network.to(computing_device())
        self._spec = spec
        self._digest = digest

    @property
    def name(self) -> str:
        return f"inception-2015@{self._digest}, bilinear-tensorflow1-299"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        if not path.is_file():
            raise UsageError(f"{path} is no file; --weights takes files of weights")
        return path.suffix == ".pth"

    @classmethod
    def load(cls, path: Path, spec: ImageSpec) -> Inception:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} is larger than any Inception network; expected {cls.file}")
        content = path.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != SHA256:
            raise UsageError(f"{path} has the sha256 {found[:16]}...; only {cls.file} ({SHA256[:16]}...) is ever read")
        module = import_beside_torchvision("torch_fidelity.feature_extractor_inceptionv3")
        # Read once without executing anything, then handed over as tensors: torch-fidelity itself would unpickle.
        tensors = io.BytesIO()
        torch.save(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True), tensors)
        tensors.seek(0)
        network = module.FeatureExtractorInceptionV3("inception-2015", [str(_FEATURES)], tensors)
        return cls(network, spec, found[:8])

    def features(self, rows: Array) -> Array:
        device = computing_device()
        parts: list[Array] = []
        with evaluating(self._network):
            for start in range(0, len(rows), _CHUNK):
                (found,) = self._network(as_rgb(rows[start : start + _CHUNK]).contiguous().to(device))
                parts.append(found.float().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, _FEATURES), dtype=np.float32)
