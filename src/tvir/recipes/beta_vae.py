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
    duration="?",
    expected="0 TO BE MEASURED",
)
