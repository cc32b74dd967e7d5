"""What tests with real components share: a server and a browser, a SLURM cluster a module.

Two processes share the tests: one has all that need SLURM or hosts, which leave traces where all of
the machine sees them, the other one has the rest.
"""

import pytest

import pilot_kernel
from tests.conftest import wait_until
from tests.real import hosts as far_hosts
from tests.real import slurm as slurm_daemons
from tests.real.agent_jobs import held, job_home
from tests.real.lab import ROOT, chromium, missing, serving

__all__ = ["held", "job_home"]


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(config, items):
    """Say which tests have to run in one process, if there may be several."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    real = [item for item in items if item.get_closest_marker("real")]
    machines = {item.path for item in real if {"slurm", "hosts"} & set(item.fixturenames)}
    for item in real:
        group = "machines" if item.path in machines else "the rest"
        item.add_marker(pytest.mark.xdist_group(group))


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
    wait_until(lambda: not slurm.jobs())
