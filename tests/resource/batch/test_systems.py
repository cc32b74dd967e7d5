"""What batch systems have of their own, and how long a walltime is."""

import pytest

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.batch.systems import SYSTEMS, walltime_seconds


@pytest.mark.parametrize(
    ("walltime", "seconds"),
    [
        (90, 5400),
        ("90", 5400),
        ("10:30", 630),
        ("1:00:00", 3600),
        ("100:00:01", 360_001),
        ("1-12:30", 86400 + 12 * 3600 + 1800),
        ("2-00:00:05", 2 * 86400 + 5),
    ],
)
def test_a_walltime_is_read_as_slurm_reads_it(walltime, seconds):
    assert walltime_seconds(walltime) == seconds


def test_what_is_no_walltime_is_an_error():
    for text in ("UNLIMITED", "NOT_SET", ""):
        with pytest.raises(ValueError):  # noqa: PT011 Python's own
            walltime_seconds(text)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_every_system_is_one_of_dask_jobqueue(system):
    pytest.importorskip("dask_jobqueue")
    job_class = system.load()
    assert job_class.__name__ == system.job_class
    assert job_class.submit_command.split()[0] == system.submit


def test_a_missing_dask_jobqueue_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DescriptionError, match=r"pip install 'qdreamer-lab\[hpc\]'"):
        SYSTEMS["slurm"].load()
