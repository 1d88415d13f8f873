"""A language model gives a text and its end a probability, and writes as probably as it reads."""

from itertools import product

import numpy as np
import pytest
import torch

from tvir.contracts.data import Examples, TextSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.noise import Noise
from tvir.models.autoregressive.conditional_language_model import ConditionalLanguageModel
from tvir.models.autoregressive.language_model import LanguageModel
from tvir.models.autoregressive.tokens import Lstm, Transformer
from tvir.networks.transformer import Memory, nucleus

SPEC = TextSpec(vocabulary=3, length=4, pieces=(b"", b"a", b"b"))
NETWORKS = [Transformer(layers=2, heads=2, width=8), Lstm(layers=2, width=8)]
each_network = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)


def model_of(network, spec=SPEC):
    torch.manual_seed(0)
    model = LanguageModel(spec, LanguageModel.Config(network=network)).eval()
    with torch.no_grad():  # far from uniform, so that a mistake shows
        for parameter in model.parameters():
            parameter.mul_(3.0)
    return model


def every_text():
    """All sequences that hold a text: after the end nothing but the end."""
    rows = [row for row in product(range(3), repeat=4) if 0 not in row or not any(row[row.index(0) :])]
    return torch.tensor(rows)


@each_network
def test_the_probabilities_of_all_texts_add_up_to_one(network):
    with torch.no_grad():
        total = model_of(network).log_prob(every_text()).double().exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-5)


@each_network
def test_nothing_after_the_end_changes_the_probability(network):
    model = model_of(network)
    with torch.no_grad():
        padded, other = model.log_prob(torch.tensor([[1, 0, 0, 0], [1, 0, 2, 1]]))
    assert float(padded) == pytest.approx(float(other), abs=1e-6)


@each_network
def test_it_writes_texts_as_often_as_it_finds_them_probable(network):
    model = model_of(network)
    texts, count = every_text(), 1000
    drawn = model.sample(count, seed=1)
    found = torch.stack([(drawn == text).all(1).sum() for text in texts]).double() / count
    with torch.no_grad():
        expected = model.log_prob(texts).double().exp()
    assert float(found.sum()) == pytest.approx(1), "only texts are written"
    assert float((found - expected).abs().max()) < 4 * (0.25 / count) ** 0.5


@each_network
def test_reading_with_a_memory_gives_the_same_logits_as_reading_at_once(network):
    net = model_of(network).network
    tokens = torch.tensor([[1, 2, 2, 1], [2, 1, 1, 1]])
    memory, parts = Memory(), []
    with torch.no_grad():
        for position in range(4):
            parts.append(net(tokens[:, max(0, position - 1)][:, None], memory))
        torch.testing.assert_close(torch.cat(parts, 1), net(tokens), rtol=1e-4, atol=1e-5)


@each_network
def test_it_learns_what_it_reads(network):
    model = model_of(network).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    data = torch.tensor([[1, 2, 0, 0], [2, 1, 2, 1]])
    for _ in range(150):
        optimiser.zero_grad()
        (-model.log_prob(data).mean()).backward()
        optimiser.step()
    with torch.no_grad():
        assert float(model.log_prob(data).exp().sum()) > 0.9


def test_a_nucleus_holds_the_fewest_tokens_that_fill_it():
    logits = torch.tensor([[0.5, 0.3, 0.2]]).log().expand(1000, 3)
    shares = ((torch.arange(1000) + 0.5) / 1000)[:, None]
    kept = nucleus(logits, shares, top_p=0.6).flatten().bincount(minlength=3) / 1000
    torch.testing.assert_close(kept, torch.tensor([0.625, 0.375, 0.0]), atol=2e-3, rtol=0)
    assert nucleus(logits, shares, top_p=1e-6).unique().tolist() == [0]
    cold = nucleus(logits, shares, temperature=0.5).flatten().bincount(minlength=3) / 1000
    torch.testing.assert_close(cold, torch.tensor([0.25, 0.09, 0.04]) / 0.38, atol=2e-3, rtol=0)


def test_a_temperature_lasts_as_long_as_it_is_asked_for():
    model = model_of(NETWORKS[0])
    usual = model.sample(50, seed=2)
    with model.drawing_with(temperature=0.01):
        assert len(model.sample(50, seed=2).unique(dim=0)) == 1
    assert torch.equal(model.sample(50, seed=2), usual)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(UsageError, match="3 heads do not divide a width of 8"):
        LanguageModel(SPEC, LanguageModel.Config(network=Transformer(heads=3, width=8)))


def test_rows_of_noise_are_texts_whatever_their_number():
    model = model_of(NETWORKS[1])
    assert model.generate(Noise(0, count=0), None).shape == (0, 4)


CLASSES = TextSpec(vocabulary=3, length=4, pieces=(b"", b"a", b"b"), classes=("prose", "verse"))


def conditional_model_of(network):
    torch.manual_seed(0)
    model = ConditionalLanguageModel(CLASSES, ConditionalLanguageModel.Config(network=network)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4.0)
    model.frequencies.prepare(Examples(CLASSES, np.zeros((4, 4), np.uint16), np.array([0, 0, 1, -1])))
    return model


@each_network
def test_the_probabilities_of_all_texts_of_a_class_add_up_to_one_and_classes_differ(network):
    model, texts = conditional_model_of(network), every_text()
    with torch.no_grad():
        prose, verse = (model.log_prob(texts, torch.full((len(texts),), kind)).exp() for kind in (0, 1))
    assert float(prose.sum()) == pytest.approx(1, abs=1e-5)
    assert float(verse.sum()) == pytest.approx(1, abs=1e-5)
    assert float((prose - verse).abs().max()) > 0.01


@each_network
def test_the_probability_without_a_class_is_the_mixture_of_those_of_the_classes(network):
    model, texts = conditional_model_of(network), every_text()
    with torch.no_grad():
        each = [model.log_prob(texts, torch.full((len(texts),), kind)).exp() for kind in (0, 1, -1)]
        found = model.log_prob(texts).exp()
    torch.testing.assert_close(found, (2 * each[0] + each[1] + each[2]) / 4, rtol=1e-4, atol=1e-6)


@each_network
def test_a_text_of_a_class_is_written_as_often_as_it_is_probable_there(network):
    model, texts, count = conditional_model_of(network), every_text(), 1000
    drawn = model.sample(count, seed=1, condition=torch.ones(count, dtype=torch.int64))
    found = torch.stack([(drawn == text).all(1).sum() for text in texts]).double() / count
    with torch.no_grad():
        expected = model.log_prob(texts, torch.ones(len(texts), dtype=torch.int64)).double().exp()
    assert float((found - expected).abs().max()) < 4 * (0.25 / count) ** 0.5


@pytest.mark.parametrize("kind", [None, 1])
def test_a_continuation_of_nothing_is_the_sample_of_the_same_class(kind):
    model = conditional_model_of(NETWORKS[0])
    condition = None if kind is None else torch.tensor([kind])
    begun = torch.zeros(0, dtype=torch.int64)
    for seed in range(8):
        (sample,) = model.sample(1, seed=seed, condition=condition).tolist()
        assert list(model.continued(begun, Noise(seed, count=1), condition)) == [token for token in sample if token]


def test_text_without_classes_is_refused_with_the_model_to_use_instead():
    with pytest.raises(UsageError, match=r"no classes to ask for.*or the model language-model"):
        ConditionalLanguageModel(SPEC, ConditionalLanguageModel.smallest())
