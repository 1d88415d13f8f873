"""E3: the image half of CLIP, from a file of its weights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from torch import Tensor

from tvir.evaluation.pretrained import TransformerFeatures, holds_tensor, layers

_EMBEDDINGS = "vision_model.embeddings."
_LAYERS = "vision_model.encoder.layers."


class Clip(TransformerFeatures):
    """The pooled features of CLIP's image tower, before they are projected to meet texts.

    Files of OpenAI's weights: their activation, which no shape tells, is taken for granted.

    Reference:
        Learning Transferable Visual Models From Natural Language Supervision, arXiv 2103.00020; with a Gaussian kernel
        as a ruler: Rethinking FID, arXiv 2401.09603.

    Known failure:
        Sees what a caption would mention, and little of texture.
    """

    file = "model.safetensors of openai/clip-vit-base-patch32"
    repository = "openai/clip-vit-base-patch32"
    prefix = "vision_model."
    mean = (0.48145466, 0.4578275, 0.40821073)
    deviation = (0.26862954, 0.26130258, 0.27577711)

    @classmethod
    def recognises(cls, path: Path) -> bool:
        return holds_tensor(path, f"{_EMBEDDINGS}class_embedding")

    @classmethod
    def build(cls, tensors: dict[str, Tensor], package: Any) -> tuple[type, object, int]:
        # A buffer that old files carry; it counts the patches and is no weight.
        tensors.pop(f"{_EMBEDDINGS}position_ids", None)
        width, _, patch, _ = tensors[f"{_EMBEDDINGS}patch_embedding.weight"].shape
        side = patch * math.isqrt(tensors[f"{_EMBEDDINGS}position_embedding.weight"].shape[0] - 1)
        config = package.CLIPVisionConfig(
            hidden_size=width,
            intermediate_size=tensors[f"{_LAYERS}0.mlp.fc1.weight"].shape[0],
            num_hidden_layers=layers(tensors, _LAYERS),
            num_attention_heads=max(1, width // 64),
            image_size=side,
            patch_size=patch,
        )
        return package.CLIPVisionModel, config, side

    @staticmethod
    def pooled(output: Any) -> Tensor:
        return output.pooler_output
