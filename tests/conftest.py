"""Fixtures for the whole suite."""

import os

import pytest

# Doctests are looked for in every module; two of these in one call would be taken for the same one.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]

# Tests run side by side; threads inside each would fight over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True, scope="session")
def _private_cache(tmp_path_factory):
    """No test reads or fills the person's own cache."""
    previous = os.environ.get("TVIR_CACHE")
    os.environ["TVIR_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if previous is None:
        del os.environ["TVIR_CACHE"]
    else:
        os.environ["TVIR_CACHE"] = previous
