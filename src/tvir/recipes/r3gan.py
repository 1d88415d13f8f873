"""r3gan: networks without normalisation, the relativistic paired loss, R1 and R2."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "network": "r3gan",
        "width": 16,
        "loss": "relativistic-paired",
        "regulariser": "r1-r2:weight=1.0",
        "normalisation": "none",
        "generator_learning_rate": 0.0005,
        "critic_learning_rate": 0.0005,
    },
    paper="Huang et al. 2024, The GAN is dead; long live the GAN!, arXiv 2501.05441",
    parts="networks without normalisation, the relativistic paired loss, R1 and R2",
    departs="penalties on every fourth step",
    command="tvir train r3gan --data MNIST --budget 2000steps",
    duration="4.2 minutes of 1 CPU core",
    expected="Frechet distance [classifier] 5.59, coverage 0.26, of 2,000 samples",
)
