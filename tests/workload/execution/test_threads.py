"""BLAS on one thread, also where several threads ask for that at once."""

from threadpoolctl import threadpool_info, threadpool_limits

from qdreamer_lab.workload.execution.threads import one_thread


def blas_threads():
    return {found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"}


def test_one_thread_while_it_is_open():
    with threadpool_limits(2, "blas"):
        with one_thread():
            assert blas_threads() == {1}
            with one_thread():
                assert blas_threads() == {1}
            assert blas_threads() == {1}
        assert blas_threads() == {2}


def test_whoever_leaves_last_restores_what_was():
    with threadpool_limits(2, "blas"):
        first, second = one_thread(), one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)  # as when two threads overlap
        assert blas_threads() == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == {2}
