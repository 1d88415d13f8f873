"""E3: DINOv2, from a file of its weights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from torch import Tensor

from tvir.evaluation.pretrained import TransformerFeatures, holds_tensor, layers

_PATCHES = "embeddings.patch_embeddings.projection.weight"
_SCALE = "encoder.layer.0.layer_scale1.lambda1"


class Dinov2(TransformerFeatures):
    """The class token of DINOv2 after its last normalisation.

    Reference:
        DINOv2: Learning Robust Visual Features without Supervision, arXiv 2304.07193; as a ruler of generative models:
        Exposing flaws of generative model evaluation metrics, arXiv 2306.04675.

    Known failure:
        Trained on photographs of at least 224 pixels: digits and icons look alike to it.
    """

    file = "model.safetensors of facebook/dinov2-base"
    repository = "facebook/dinov2-base"
    mean = (0.485, 0.456, 0.406)
    deviation = (0.229, 0.224, 0.225)

    @classmethod
    def recognises(cls, path: Path) -> bool:
        return holds_tensor(path, _SCALE)

    @classmethod
    def build(cls, tensors: dict[str, Tensor], package: Any) -> tuple[type, object, int]:
        width, _, patch, _ = tensors[_PATCHES].shape
        side = patch * math.isqrt(tensors["embeddings.position_embeddings"].shape[1] - 1)
        config = package.Dinov2Config(
            hidden_size=width,
            num_hidden_layers=layers(tensors, "encoder.layer."),
            num_attention_heads=max(1, width // 64),
            mlp_ratio=tensors["encoder.layer.0.mlp.fc1.weight"].shape[0] // width,
            image_size=side,
            patch_size=patch,
        )
        return package.Dinov2Model, config, side

    @staticmethod
    def pooled(output: Any) -> Tensor:
        return output.pooler_output
