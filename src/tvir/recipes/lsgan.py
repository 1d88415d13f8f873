"""lsgan: DCGAN's networks, the least-squares loss and no penalty."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "network": "dcgan",
        "loss": "least-squares",
        "regulariser": "none",
        "generator_learning_rate": 0.0005,
        "critic_learning_rate": 0.0005,
    },
    paper="Mao et al. 2017, Least Squares Generative Adversarial Networks, arXiv 1611.04076",
    parts="DCGAN's networks, the least-squares loss and no penalty",
    departs="step sizes of 5e-4, which short budgets need",
    command="tvir train lsgan --data MNIST --budget 2000steps",
    duration="0.6 minutes of 1 CPU core",
    expected="Frechet distance [classifier] 11.5, coverage 0.16, of 2,000 samples",
)
