"""One server and one browser for all tests that need them."""

import pytest

from tests.real.lab import ROOT, chromium, missing, serving


@pytest.fixture(scope="session")
def lab(tmp_path_factory, registry_home):
    """One server for all browser tests."""
    with serving(tmp_path_factory.mktemp("lab")) as served:
        yield served


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all browser tests."""
    if what := missing():
        pytest.skip(what)
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="session")
def artifacts():
    """Where screenshots stay, for people to look at."""
    folder = ROOT / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder
