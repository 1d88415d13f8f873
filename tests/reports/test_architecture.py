from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from tvir.contracts.data import ImageSpec, VectorSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import DecodesLatents, ModelConfig, Phase, Player, Stage
from tvir.reports.architecture import architecture_svg
from tvir.reports.layout import lay_out
from tvir.reports.measuring import measure


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.norm, self.second = nn.Linear(width, width), nn.LayerNorm(width), nn.Linear(width, width)

    def forward(self, x):
        return x + self.second(self.norm(self.first(x)))


class Toy(DecodesLatents):
    """A GAN of a few layers, with a normalised critic and a generator as deep as asked."""

    paper, specs = "nobody", (VectorSpec, ImageSpec)

    def __init__(self, spec, config=None, blocks=1):
        super().__init__(spec, config or ModelConfig())
        size = torch.Size(spec.shape).numel()
        self.generator = nn.Sequential(
            nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), *(Residual(8) for _ in range(blocks)), nn.Linear(8, size),
            nn.Unflatten(1, spec.shape),
        )  # fmt: skip
        self.critic = nn.Sequential(nn.Flatten(), spectral_norm(nn.Linear(size, 5)), nn.ReLU(), nn.Linear(5, 1))

    latent_shape = (3,)

    def sample_prior(self, noise, condition=None):
        return noise.normal(3)

    def decode(self, latents, condition=None):
        return self.generator(latents)

    def stages(self) -> Sequence[Stage]:
        player = Player(name="critic", parameters=list(self.critic.parameters()))
        return [Stage(name="gan", phases=[Phase(name="critic", player=player, loss=self.loss)])]

    def loss(self, batch):
        return {"loss": self.critic(batch.data).mean()}

    def diagram(self):
        return Diagram(
            boxes=[
                Box(name="noise", role=Role.NOISE), Box(name="generator", role=Role.NETWORK, module=self.generator),
                Box(name="fake", role=Role.SAMPLE), Box(name="real data & labels", role=Role.DATA),
                Box(name="critic", role=Role.NETWORK, module=self.critic), Box(name="decision", role=Role.DECISION),
            ],
            arrows=[Arrow("noise", "generator"), Arrow("generator", "fake"), Arrow("fake", "critic"),
                    Arrow("real data & labels", "critic"), Arrow("critic", "decision")],
        )  # fmt: skip


class Stubborn(Toy):
    """Its loss cannot run on made-up examples."""

    def loss(self, batch):
        raise RuntimeError("no")


@pytest.fixture
def toy():
    torch.manual_seed(0)
    return Toy(ImageSpec(channels=1, height=4, width=6))


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


class TestMeasuring:
    def test_shapes_and_parameters_are_those_of_the_layers(self, toy):
        _, networks = measure(toy)
        generator = [(layer.words, layer.shape, layer.parameters) for layer in networks["generator"].layers]
        assert generator == [
            ("Linear + BatchNorm1d + ReLU", (8,), 3 * 8 + 8 + 16),
            ("Linear + LayerNorm", (8,), 72 + 16),
            ("Linear", (8,), 72),
            ("Linear", (24,), 8 * 24 + 24),
            ("Unflatten", (1, 4, 6), 0),
        ]
        assert networks["generator"].parameters == sum(p.numel() for p in toy.generator.parameters())

    def test_a_network_that_only_the_losses_use_is_measured_too(self, toy):
        critic = measure(toy)[1]["critic"]
        assert [layer.shape for layer in critic.layers] == [(24,), (5,), (1,)]

    def test_a_normalised_layer_is_told_by_its_own_name(self, toy):
        critic = measure(toy)[1]["critic"]
        assert critic.layers[1].words == "Linear + ReLU"
        assert sum(layer.parameters for layer in critic.layers) == critic.parameters == 24 * 5 + 5 + 5 + 1

    def test_the_model_and_the_random_state_stay_as_they_were(self, toy):
        before = {name: value.clone() for name, value in toy.state_dict().items()}
        state = torch.get_rng_state()
        toy.train()
        measure(toy)
        assert all(torch.equal(value, before[name]) for name, value in toy.state_dict().items())
        assert torch.equal(torch.get_rng_state(), state)
        assert toy.training
        assert all(parameter.grad is None for parameter in toy.parameters())

    def test_a_long_network_is_told_block_by_block_and_loses_no_parameter(self):
        deep = Toy(VectorSpec(features=2), blocks=30)
        generator = measure(deep)[1]["generator"]
        assert len(generator.layers) <= 12
        assert any(layer.words.startswith("30 × Residual") for layer in generator.layers)
        assert sum(layer.parameters for layer in generator.layers) == generator.parameters

    def test_a_loss_that_cannot_run_costs_only_its_shapes(self):
        _, networks = measure(Stubborn(VectorSpec(features=2)))
        assert networks["generator"].layers[-1].shape == (2,)
        assert all(layer.shape is None for layer in networks["critic"].layers)
        assert networks["critic"].parameters == 2 * 5 + 5 + 5 + 1


class TestDrawing:
    def test_names_layers_shapes_and_counts_are_there(self, toy):
        written = texts(architecture_svg(toy))
        assert {"noise", "generator", "fake", "critic", "decision"} <= set(written)
        assert "1×4×6" in written
        assert "Linear + BatchNorm1d + ReLU" in written
        assert "131 parameters" in written

    def test_every_text_lies_inside_its_box(self):
        svg = architecture_svg(Toy(VectorSpec(features=2), blocks=30))
        for group in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}g"):
            frames = group.findall("{http://www.w3.org/2000/svg}rect")
            if not frames or group.get("transform"):
                continue
            frame = max(frames, key=lambda rect: float(rect.get("width")))
            left, right = float(frame.get("x")), float(frame.get("x")) + float(frame.get("width"))
            top, bottom = float(frame.get("y")), float(frame.get("y")) + float(frame.get("height"))
            for text in group.findall("{http://www.w3.org/2000/svg}text"):
                # 0.6 em is the width of a letter in the fonts that code is set in, and more than most letters need.
                width = 0.6 * float(text.get("font-size")) * len(text.text)
                start = float(text.get("x")) - {"end": width, "middle": width / 2}.get(text.get("text-anchor"), 0.0)
                assert left <= start
                assert start + width <= right
                assert top <= float(text.get("y")) - float(text.get("font-size"))
                assert float(text.get("y")) <= bottom

    def test_columns_of_a_network_do_not_run_into_each_other(self):
        svg = architecture_svg(Toy(VectorSpec(features=2), blocks=30))
        rows = {}
        for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
            if "mono" in (text.get("font-family") or ""):
                rows.setdefault(text.get("y"), []).append(text)
        spans = []
        for row in rows.values():
            for text in row:
                width = 0.6 * 11 * len(text.text)
                start = float(text.get("x")) - (width if text.get("text-anchor") == "end" else 0)
                spans.append((text.get("y"), start, start + width))
        for y, start, end in spans:
            assert not any(y == other and start < first < end for other, first, _ in spans)

    def test_the_drawing_has_a_background_and_words_of_its_own(self, toy):
        svg = architecture_svg(toy)
        assert '<rect width="100%" height="100%"' in svg
        assert "noise to generator" in svg
        assert "real data &amp; labels" in svg

    def test_equal_models_make_equal_drawings(self, toy):
        assert architecture_svg(toy) == architecture_svg(toy)


class TestLayout:
    SIZE = (100.0, 50.0)

    def laid(self, *arrows):
        pairs = [Arrow(*arrow.split(">")) for arrow in arrows]
        names = dict.fromkeys(name for arrow in pairs for name in (arrow.source, arrow.target))
        return lay_out(dict.fromkeys(names, self.SIZE), pairs)

    def test_arrows_point_to_the_right(self):
        layout = self.laid("a>b", "b>c", "a>c", "d>c")
        for source, target in ("ab", "bc", "ac", "dc"):
            assert layout.places[source].right < layout.places[target].left

    def test_a_source_stands_right_before_what_it_feeds(self):
        layout = self.laid("noise>generator", "generator>fake", "fake>critic", "real>critic")
        assert layout.places["real"].left == layout.places["fake"].left

    def test_boxes_do_not_overlap(self):
        layout = self.laid("a>b", "a>c", "a>d", "b>e", "c>e", "d>e", "a>e")
        places = list(layout.places.values())
        for index, one in enumerate(places):
            for other in places[index + 1 :]:
                apart = one.right <= other.left or other.right <= one.left
                assert apart or one.top + one.height <= other.top or other.top + other.height <= one.top

    def test_a_long_arrow_passes_between_the_boxes(self):
        layout = self.laid("a>b", "b>c", "c>d", "a>d")
        (lanes,) = [found for found in layout.lanes.values() if found]
        assert len(lanes) == 2
        for lane in lanes:
            for place in layout.places.values():
                beside = lane.right <= place.left or place.right <= lane.left
                assert beside or not place.top <= lane.middle <= place.top + place.height

    def test_a_cycle_is_drawn_with_one_arrow_against_the_flow(self):
        layout = self.laid("a>b", "b>c", "c>a")
        assert [(arrow.source, arrow.target) for arrow in layout.backward] == [("c", "a")]

    def test_everything_fits_in_the_size_that_is_told(self):
        layout = self.laid("a>b", "a>c", "b>d", "a>d")
        assert max(place.right for place in layout.places.values()) == pytest.approx(layout.width)
        assert max(place.top + place.height for place in layout.places.values()) <= layout.height
        assert min(min(place.left, place.top) for place in layout.places.values()) >= 0
