"""dcgan: DCGAN's networks, the non-saturating loss and no penalty."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "network": "dcgan",
        "loss": "non-saturating",
        "regulariser": "none",
        "generator_learning_rate": 0.0005,
        "critic_learning_rate": 0.0005,
    },
    paper="Radford, Metz and Chintala 2016, Unsupervised Representation Learning with DCGANs, arXiv 1511.06434",
    parts="DCGAN's networks, the non-saturating loss and no penalty",
    departs="a critic without batch normalisation; step sizes of 5e-4, which short budgets need",
    command="tvir train dcgan --data MNIST --budget 2000steps",
    duration="0.6 minutes of 1 CPU core",
    expected="Frechet distance [classifier] 12, coverage 0.17, of 2,000 samples",
)
