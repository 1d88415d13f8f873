"""wgan-gp: the Wasserstein loss, a gradient penalty of 10 and five critic steps."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "loss": "wasserstein",
        "regulariser": "gradient-penalty",
        "critic_steps": 5,
        "generator_learning_rate": 0.0005,
        "critic_learning_rate": 0.0005,
        "generator_warmup": 0,
    },
    paper="Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv 1704.00028",
    parts="the Wasserstein loss, a gradient penalty of 10 and five critic steps",
    departs="step sizes of 5e-4, which short budgets need",
    command="tvir train wgan-gp --data MNIST --budget 2m",
    duration="2 minutes on 1 CPU core",
    expected="TO BE MEASURED",
)
