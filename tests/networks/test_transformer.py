"""Nothing depends on what comes later, and what is written is what was said to be likely."""

import pytest
import torch

from tvir.contracts.noise import Noise
from tvir.networks.transformer import CausalTransformer, Memory, TokenTransformer, chosen


@pytest.fixture
def transformer():
    torch.manual_seed(0)
    return CausalTransformer(width=8, layers=2, heads=2, length=6)


def test_no_position_depends_on_a_later_one(transformer):
    features = torch.randn(3, 6, 8)
    changed = features.clone()
    changed[:, 4:] = torch.randn(3, 2, 8)
    before, after = transformer(features), transformer(changed)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_every_position_depends_on_all_earlier_ones(transformer):
    features = torch.randn(1, 6, 8, requires_grad=True)
    (slopes,) = torch.autograd.grad(transformer(features)[0, -1].square().sum(), features)
    assert (slopes.abs().sum(2) > 0).all()


def test_reading_one_by_one_is_reading_at_once(transformer):
    features, memory = torch.randn(3, 6, 8), Memory()
    one_by_one = torch.cat([transformer(features[:, i : i + 1], memory) for i in range(6)], 1)
    torch.testing.assert_close(one_by_one, transformer(features), atol=1e-5, rtol=1e-4)


def test_each_token_lies_where_its_share_falls_in_what_the_ones_before_it_make_likely():
    torch.manual_seed(0)
    transformer = TokenTransformer(vocabulary=7, length=5, width=8, layers=2, heads=2)
    torch.nn.init.normal_(transformer.head.weight)
    tokens = transformer.generate(Noise(3, count=40))
    assert tokens.unique().numel() > 3
    logits, shares = transformer(tokens), Noise(3, count=40).uniform(5)
    for position in range(5):
        expected = chosen(logits[:, position], shares[:, position : position + 1])
        assert torch.equal(tokens[:, position : position + 1], expected)


def test_choices_come_as_often_as_they_are_likely():
    shares = (torch.arange(1000) + 0.5)[:, None] / 1000
    logits = torch.tensor([0.1, 0.6, 0.3]).log().expand(1000, 3)
    assert chosen(logits, shares).flatten().bincount().tolist() == [100, 600, 300]
    assert chosen(torch.tensor([[0.0, -torch.inf]]), torch.tensor([[1 - 2**-24]])).item() == 0
