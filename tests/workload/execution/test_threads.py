"""BLAS on one thread, also where several threads ask for that at once."""

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from qdreamer_lab.workload.execution import threads
from qdreamer_lab.workload.execution.threads import one_thread
from tests.conftest import wait_until


@pytest.fixture(autouse=True)
def alone():
    """No run is under way that another test has given up."""
    wait_until(lambda: not threads._limit.inside)


def blas_threads():
    """Of each library; some have one thread whatever they are told."""
    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    return {each["filepath"]: each["num_threads"] for each in found}


def test_one_thread_while_it_is_open():
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        assert 2 in before.values()
        with one_thread():
            assert set(blas_threads().values()) == {1}
            with one_thread():
                assert set(blas_threads().values()) == {1}
            assert set(blas_threads().values()) == {1}
        assert blas_threads() == before


def test_whoever_leaves_last_restores_what_was():
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        first, second = one_thread(), one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)  # as when two threads overlap
        assert set(blas_threads().values()) == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == before
