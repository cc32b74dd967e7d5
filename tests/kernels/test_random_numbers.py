"""The random numbers of kernels."""

from qdreamer_lab.kernels.random_numbers import advance, below, unit


def test_the_random_stream_is_the_same_uncompiled() -> None:
    state = plain = 12345
    for bound in range(1, 60):
        state, plain = advance(state), advance.py_func(plain)
        assert state == plain
        assert below(state, bound) == below.py_func(plain, bound) < bound
        assert unit(state) == unit.py_func(plain) < 1.0
