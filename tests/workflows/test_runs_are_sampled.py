import numpy as np
import pytest
import torch
from PIL import Image

import tvir
from tvir.contracts.errors import UsageError


def test_the_suffix_decides_the_form_and_the_content_is_the_same(small_vae, tmp_path):
    rows = small_vae.sample(300, seed=4)
    array = tvir.sample(small_vae, 300, seed=4, to=tmp_path / "new" / "rows.npy")
    packed = tvir.sample(small_vae, 300, seed=4, to=tmp_path / "rows.npz")
    folder = tvir.sample(small_vae, 300, seed=4, to=tmp_path / "pictures")
    assert np.array_equal(np.load(array, allow_pickle=False), rows)
    assert np.array_equal(np.load(packed, allow_pickle=False)["rows"], rows)
    pictures = sorted(folder.iterdir())
    assert len(pictures) == 300
    assert np.array_equal(np.asarray(Image.open(pictures[299])), rows[299, :, :, 0])


def test_steps_are_asked_of_a_model_that_takes_them_and_of_no_other(small_vae, tmp_path):
    pytest.importorskip("diffusers")
    config = {"width": 2, "batch_size": 4, "steps": 4}
    run = tvir.train("diffusion", "ring8", budget="2steps", config=config, out=tmp_path / "run")
    rows = run.sample(5, seed=1)
    assert np.array_equal(run.sample(5, seed=1, steps=4), rows)
    few = np.load(tvir.sample(run, 5, seed=1, steps=2, to=tmp_path / "few.npy"))
    assert not np.allclose(few, rows)
    assert np.array_equal(few, run.sample(5, seed=1, steps=2))
    with pytest.raises(UsageError, match="steps must be 1 or more"):
        run.sample(5, steps=0)
    with pytest.raises(UsageError, match="vae does not sample in steps that can be chosen; leave --steps out"):
        tvir.sample(small_vae, 5, steps=2, to=tmp_path / "none.npy")


@pytest.mark.parametrize("latent", ["mixture:components=2", "flow:steps=2", "kernel"])
def test_latents_are_drawn_from_what_was_fitted_once(own_vae, latent, tmp_path, monkeypatch):
    from tvir.workflows import latents

    if latent.startswith("flow"):
        pytest.importorskip("zuko")
    rows = own_vae.sample(5, seed=1, latent=latent)
    assert not np.array_equal(rows, own_vae.sample(5, seed=1))
    assert np.array_equal(own_vae.sample(3, seed=1, latent=latent), rows[:3])
    assert len(list((own_vae.path / "latents").iterdir())) == 1
    monkeypatch.setattr(latents, "fit_latents", lambda *_: pytest.fail("was fitted again"))
    written = tvir.sample(tvir.load(own_vae.path), 5, seed=1, latent=latent, to=tmp_path / "rows.npy")
    assert np.array_equal(np.load(written), rows)
    assert tvir.sample(own_vae, 5, latent=latent).name == f"samples-{latent.partition(':')[0]}-seed0.png"


def test_latents_of_other_weights_are_fitted_again(own_vae):
    first = own_vae.sample(5, latent="kernel")
    own_vae.sample(5, latent="kernel:reach=0.1")
    assert len(list((own_vae.path / "latents").iterdir())) == 2
    with torch.no_grad():
        own_vae.model.autoencoder.encoder.head.bias.add_(1.0)
    assert not np.array_equal(own_vae.sample(5, latent="kernel"), first)
    assert len(list((own_vae.path / "latents").iterdir())) == 1


def test_what_was_kept_and_is_broken_is_fitted_again(own_vae):
    rows = own_vae.sample(5, latent="kernel")
    (kept,) = (own_vae.path / "latents").iterdir()
    kept.write_bytes(b"nothing")
    assert np.array_equal(own_vae.sample(5, latent="kernel"), rows)
    assert kept.stat().st_size > 1000


def test_the_prior_is_what_is_drawn_from_by_default(small_vae, small_gan):
    assert np.array_equal(small_vae.sample(5, latent="prior"), small_vae.sample(5))
    assert np.array_equal(small_gan.sample(5, latent="prior"), small_gan.sample(5))


def test_models_without_an_encoder_have_nothing_to_fit_to(small_vae, small_gan, tmp_path):
    with pytest.raises(UsageError, match="gan does not encode data, so there is nothing to fit mixture to; a VAE does"):
        tvir.sample(small_gan, 5, latent="mixture", to=tmp_path / "none.npy")
    with pytest.raises(UsageError, match="no latent sampler called 'cloud'; choose one of: prior, mixture, flow, kern"):
        small_vae.sample(5, latent="cloud")
    noise = tvir.train("noise", "digits", budget="1steps", out=tmp_path / "noise")
    with pytest.raises(UsageError, match="noise has no latents to draw; leave --latent out"):
        noise.sample(5, latent="mixture")


def test_a_grid_is_a_picture_and_lies_in_the_run_by_default(own_vae):
    written = tvir.sample(own_vae.path, 9, seed=5)
    assert written == own_vae.path / "samples-seed5.png"
    with Image.open(written) as image:
        assert image.format == "PNG"


def test_points_can_be_drawn_but_not_written_as_pictures(small_gan, tmp_path):
    with Image.open(tvir.sample(small_gan, 50, to=tmp_path / "points.png")) as image:
        assert image.width > 50
    with pytest.raises(UsageError, match="only images"):
        tvir.sample(small_gan, 5, to=tmp_path / "points")


def test_forms_that_cannot_be_written_are_said_before_any_work(small_vae, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    wrong = [
        ("a.jpg", 4, "no form"),
        ("a.png", 10_000, "grid"),
        ("full", 4, "not an empty folder"),
        ("a.png", 0, "grid"),
    ]
    for name, count, said in wrong:
        with pytest.raises(UsageError, match=said):
            tvir.sample(small_vae, count, to=tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"full"}


def test_walks_are_written_as_strips_moving_pictures_and_arrays(small_vae, tmp_path):
    with Image.open(tvir.interpolate(small_vae, 6, count=2, to=tmp_path / "walk.gif")) as image:
        assert image.n_frames == 2 * 6 - 2
    with Image.open(tvir.interpolate(small_vae, 6, count=2, to=tmp_path / "walk.png")) as image:
        assert image.width > 2 * image.height
    rows = np.load(tvir.interpolate(small_vae, 6, count=2, to=tmp_path / "walk.npy"))
    assert np.array_equal(rows, small_vae.interpolate(6, count=2))
    with pytest.raises(UsageError, match=r"choose \.png, \.gif"):
        tvir.interpolate(small_vae, to=tmp_path / "walk.mp4")


@pytest.fixture(scope="module")
def small_conditional(tmp_path_factory):
    config = {"width": 2, "latent": 2, "batch_size": 4}
    place = tmp_path_factory.mktemp("runs") / "conditional"
    return tvir.train("conditional-gan", "digits", budget="6steps", config=config, out=place)


def test_a_walk_of_a_conditional_model_stays_in_its_class(small_conditional):
    walks = small_conditional.interpolate(2, count=12)
    for walk, rows in enumerate(walks):
        ends = [small_conditional.sample(12, seed=seed, condition=walk % 10)[walk] for seed in (0, 1)]
        assert np.abs(rows.astype(int) - np.stack(ends)).max() <= 1
    threes = small_conditional.interpolate(2, count=4, condition="3")
    assert np.array_equal(threes[3], walks[3])
    assert not np.array_equal(threes[2], walks[2])


def test_a_class_that_does_not_exist_is_answered_with_those_that_do(small_conditional, small_vae):
    for ask in (small_conditional.sample, lambda count, condition: small_conditional.interpolate(condition=condition)):
        with pytest.raises(UsageError, match="no class 'cat'; the classes are: 0, 1, 2"):
            ask(2, condition="cat")
    with pytest.raises(UsageError, match="cannot be asked for a class"):
        small_vae.interpolate(condition="3")


def test_reconstructions_show_each_example_above_what_was_made_of_it(small_vae, tmp_path):
    rows = np.load(tvir.reconstruct(small_vae, 5, to=tmp_path / "pairs.npy"))
    assert np.array_equal(rows[0], small_vae.dataset().test.take(np.arange(5)))
    assert np.array_equal(rows[1], small_vae.reconstruct(rows[0]))
    with Image.open(tvir.reconstruct(small_vae, 20, to=tmp_path / "pairs.png")) as image:
        assert 3 * image.height < image.width < 5 * image.height  # 16 columns of pairs, in four lines
    with pytest.raises(UsageError, match="test split has"):
        tvir.reconstruct(small_vae, 10**6, to=tmp_path / "more.npy")


def test_an_interrupted_write_leaves_nothing_behind(small_vae, tmp_path):
    from tvir.workflows.saving import save_rows

    def broken():
        yield small_vae.sample(2)
        raise KeyboardInterrupt

    spec = small_vae.model.spec
    for name in ("rows.npy", "rows.npz", "rows.png"):
        with pytest.raises(KeyboardInterrupt):
            save_rows(spec, broken(), 4, tmp_path / name)
    assert not list(tmp_path.iterdir())
