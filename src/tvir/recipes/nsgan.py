"""nsgan: the non-saturating loss and no penalty."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "loss": "non-saturating",
        "regulariser": "none",
        "generator_learning_rate": 0.0005,
        "critic_learning_rate": 0.0005,
    },
    paper="Goodfellow et al. 2014, Generative Adversarial Nets, arXiv 1406.2661, section 3: the non-saturating game",
    parts="the non-saturating loss and no penalty",
    departs="convolutional networks instead of perceptrons",
    command="tvir train nsgan --data MNIST --budget 2m",
    duration="2 minutes on 1 CPU core",
    expected="TO BE MEASURED",
)
