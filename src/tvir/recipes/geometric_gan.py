"""geometric-gan: the hinge loss and spectral normalisation of the critic."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "loss": "hinge",
        "regulariser": "spectral-norm",
        "generator_learning_rate": 0.0005,
        "critic_learning_rate": 0.0005,
    },
    paper="Lim and Ye 2017, Geometric GAN, arXiv 1705.02894",
    parts="the hinge loss and spectral normalisation of the critic",
    departs="spectral normalisation, which came a year later (arXiv 1802.05957)",
    command="tvir train geometric-gan --data MNIST --budget 2m",
    duration="2 minutes on 1 CPU core",
    expected="TO BE MEASURED",
)
