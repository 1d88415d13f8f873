"""sngan: residual networks, the hinge loss and spectral normalisation."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "network": "resnet",
        "width": 16,
        "loss": "hinge",
        "regulariser": "spectral-norm",
        "critic_steps": 2,
        "generator_learning_rate": 0.0005,
        "critic_learning_rate": 0.0005,
    },
    paper="Miyato et al. 2018, Spectral Normalization for Generative Adversarial Networks, arXiv 1802.05957",
    parts="residual networks, the hinge loss and spectral normalisation",
    departs="two critic steps instead of five; step sizes of 5e-4, which short budgets need",
    command="tvir train sngan --data MNIST --budget 2000steps",
    duration="?",
    expected="0 TO BE MEASURED",
)
