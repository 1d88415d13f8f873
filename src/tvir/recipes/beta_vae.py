"""beta-vae: four times the divergence from the prior."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="vae",
    settings={
        "beta": 4.0,
    },
    paper="Higgins et al. 2017, beta-VAE: Learning Basic Visual Concepts (ICLR)",
    parts="four times the divergence from the prior",
    command="tvir train beta-vae --data MNIST --budget 2000steps",
    duration="1.2 minutes of 1 CPU core",
    expected="Frechet distance [classifier] 14.5, coverage 0.20, of 2,000 samples",
)
