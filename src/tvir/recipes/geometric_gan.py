"""geometric-gan: DCGAN's networks, the hinge loss and spectral normalisation."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "network": "dcgan",
        "loss": "hinge",
        "regulariser": "spectral-norm",
        "generator_learning_rate": 0.0005,
        "critic_learning_rate": 0.0005,
    },
    paper="Lim and Ye 2017, Geometric GAN, arXiv 1705.02894",
    parts="DCGAN's networks, the hinge loss and spectral normalisation",
    departs="spectral normalisation, which came a year later (arXiv 1802.05957)",
    command="tvir train geometric-gan --data MNIST --budget 2000steps",
    duration="0.6 minutes of 1 CPU core",
    expected="Frechet distance [classifier] 13.2, coverage 0.16, of 2,000 samples",
)
