"""How much faster text is written with a memory than by reading everything again for each token."""

import argparse
import time

import torch

from tvir.contracts.data import TextSpec
from tvir.contracts.noise import Noise
from tvir.models.autoregressive.language_model import LanguageModel
from tvir.models.autoregressive.tokens import Transformer
from tvir.networks.transformer import chosen


@torch.no_grad()
def recomputed(model: LanguageModel, noise: Noise) -> torch.Tensor:
    """The same texts, each token after a reading of all of the sequence so far."""
    assert isinstance(model.spec, TextSpec)
    length = model.spec.length
    shares = noise.uniform(length)
    tokens = torch.zeros(noise.count, length, dtype=torch.int64)
    for position in range(length):
        logits = model.network(tokens[:, : position + 1])[:, position]
        tokens[:, position : position + 1] = chosen(logits, shares[:, position : position + 1])
    return tokens


def main() -> None:
    """Time both and print the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--count", type=int, default=16)
    given = parser.parse_args()
    torch.manual_seed(0)
    spec = TextSpec(vocabulary=64, length=given.length)
    model = LanguageModel(spec, LanguageModel.Config(network=Transformer())).eval()
    took = {}
    with torch.no_grad():
        for name, write in (
            ("with a memory", model.network.generate),
            ("read again", lambda noise: recomputed(model, noise)),
        ):
            times = []
            for _ in range(3):
                began = time.perf_counter()
                write(Noise(0, count=given.count))
                times.append(time.perf_counter() - began)
            took[name] = sorted(times)[1]
            print(f"{name}: {took[name]:.2f} s for {given.count} texts of {given.length} tokens")
    print(f"{took['read again'] / took['with a memory']:.1f} times as fast")


if __name__ == "__main__":
    main()
