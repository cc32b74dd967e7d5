"""What tests with real components share: one server and one browser, a SLURM cluster a module."""

import pytest

import pilot_kernel
from tests.conftest import wait_until
from tests.real import hosts as far_hosts
from tests.real import slurm as slurm_daemons
from tests.real.agent_jobs import held, job_home
from tests.real.lab import ROOT, chromium, missing, serving

__all__ = ["held", "job_home"]


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


@pytest.fixture(scope="module")
def slurm():
    """A SLURM cluster of four nodes, for the tests of one module."""
    if what := slurm_daemons.missing():
        pytest.skip(what)
    with slurm_daemons.slurm_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def hosts():
    """Four hosts that are reached over SSH, for the tests of one module."""
    if what := far_hosts.missing():
        pytest.skip(what)
    with far_hosts.ssh_hosts(4) as made:
        yield made


@pytest.fixture
def slurm_session(registry_home, slurm):
    """A session of the test's own in that cluster, and no job of it left in the end."""
    with pilot_kernel.Session() as session:
        yield session
    wait_until(lambda: not slurm.jobs(), timeout_s=10)
