"""lsgan: the least-squares loss and no penalty."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "loss": "least-squares",
        "regulariser": "none",
        "generator_learning_rate": 0.0005,
        "critic_learning_rate": 0.0005,
    },
    paper="Mao et al. 2017, Least Squares Generative Adversarial Networks, arXiv 1611.04076",
    parts="the least-squares loss and no penalty",
    departs="this package's residual networks",
    command="tvir train lsgan --data MNIST --budget 2m",
    duration="2 minutes on 1 CPU core",
    expected="TO BE MEASURED",
)
