"""ragan: DCGAN's networks and the relativistic average loss."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "network": "dcgan",
        "loss": "relativistic-average",
        "regulariser": "none",
        "generator_learning_rate": 0.0005,
        "critic_learning_rate": 0.0005,
    },
    paper="Jolicoeur-Martineau 2018, The relativistic discriminator, arXiv 1807.00734",
    parts="DCGAN's networks and the relativistic average loss",
    departs="step sizes of 5e-4, which short budgets need",
    command="tvir train ragan --data MNIST --budget 2000steps",
    duration="0.9 minutes of 1 CPU core",
    expected="Frechet distance [classifier] 13.4, coverage 0.14, of 2,000 samples",
)
