"""sagan: residual networks with self-attention, the hinge loss and spectral normalisation."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "network": "resnet:attention=True",
        "width": 16,
        "loss": "hinge",
        "regulariser": "spectral-norm",
        "generator_learning_rate": 0.0003,
        "critic_learning_rate": 0.001,
    },
    paper="Zhang et al. 2019, Self-Attention Generative Adversarial Networks, arXiv 1805.08318",
    parts="residual networks with self-attention, the hinge loss and spectral normalisation",
    departs="no spectral normalisation of the generator",
    command="tvir train sagan --data MNIST --budget 2000steps",
    duration="?",
    expected="0 TO BE MEASURED",
)
