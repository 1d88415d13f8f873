"""Runs that several tests look at, each trained once for a few steps."""

import shutil

import pytest

import tvir

SMALL = {"width": 2, "latent": 2, "batch_size": 4}


@pytest.fixture(scope="session")
def small_vae(tmp_path_factory):
    """A finished run nobody may change."""
    return tvir.train(
        "vae", "digits", budget="6steps", seed=3, config=SMALL, out=tmp_path_factory.mktemp("runs") / "vae"
    )


@pytest.fixture(scope="session")
def small_gan(tmp_path_factory):
    """A finished run nobody may change."""
    return tvir.train("gan", "ring8", budget="4steps", config=SMALL, out=tmp_path_factory.mktemp("runs") / "gan")


@pytest.fixture
def own_vae(small_vae, tmp_path):
    """A finished run of one's own."""
    shutil.copytree(small_vae.path, tmp_path / "vae")
    return tvir.Run(tmp_path / "vae")
