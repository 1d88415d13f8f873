"""Every recipe can be built, and says what a person needs to try it."""

import re

import pytest
import torch

from tvir.contracts.data import ImageSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Batch
from tvir.contracts.noise import Noise
from tvir.models.catalogue import catalogue
from tvir.recipes.catalogue import recipes
from tvir.workflows.building import construct, find_method

SPEC = ImageSpec(channels=1, height=16, width=16, classes=("zero", "one"))
SMALL = {"width": 4, "latent": 4, "batch_size": 4}

every_recipe = pytest.mark.parametrize("name", sorted(recipes()))


@every_recipe
def test_a_recipe_names_its_paper_command_and_score(name):
    recipe = recipes()[name]
    assert re.search(r"\b(19|20)\d\d\b", recipe.paper)
    assert recipe.command.startswith(f"tvir train {name} ")
    assert re.search(r"\d", recipe.expected), "a score is a number"


@every_recipe
def test_no_recipe_takes_the_name_of_a_model(name):
    assert name not in catalogue()


@every_recipe
def test_a_recipe_learns(name):
    method = find_method(name, SMALL)
    model = construct(method.kind, SPEC, method.config, seed=0).train()
    batch = Batch(
        data=torch.rand(4, *SPEC.shape) * 2 - 1,
        labels=torch.tensor([0, 1, 0, 1]),
        noise=Noise(0, count=4),
        step=0,
        progress=0.5,
    )
    for stage in model.stages():
        for phase in stage.phases:
            total = torch.stack(list(phase.loss(batch).values())).sum()
            found = torch.autograd.grad(total, list(phase.player.parameters), allow_unused=True)
            assert torch.isfinite(total)
            assert any(gradient is not None and gradient.any() for gradient in found)


@every_recipe
def test_the_settings_of_a_recipe_give_way_to_those_asked_for(name):
    plain, asked = find_method(name), find_method(name, {"ema_half_life": 5.0})
    assert asked.config.as_json() == {**plain.config.as_json(), "ema_half_life": 5.0}
    assert plain.config.as_json() != find_method(recipes()[name].model).config.as_json()


def test_a_recipe_that_is_mistyped_is_guessed():
    with pytest.raises(UsageError, match="did you mean lsgan"):
        find_method("lsgna")
