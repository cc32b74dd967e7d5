"""What each kernel of `kernels.cu` does, in NumPy: one block, and all threads of it, at once."""

import numpy as np

from qdreamer_lab.kernels.simulate.tile_pass import BRANCH, DIAGONAL, MULTIPLEXED


def run_pass(states, plan, coefficients, first, count):
    """(programs, rows, 2**n) states, of which some choices of one pass are made, in place."""
    loaded, runs, run_bits, outer_bits, operations, _, *at = plan[:14].tolist()
    sources, targets, spread, outer, records, rows, jumps, starts = (plan[k:] for k in at)
    indices = (sources[:runs, None] + np.arange(1 << run_bits)).ravel()
    places = (targets[:runs, None] | spread[: 1 << run_bits]).ravel()
    records = records[: 6 * operations].reshape(-1, 6).tolist()
    row_count = at[6] - at[5]
    for program, state in enumerate(states):
        for item in range(row_count << outer_bits):
            row = rows[item >> outer_bits]
            base = sum(outer[k] for k in range(outer_bits) if item >> k & 1)
            tile = np.zeros(runs << run_bits, states.dtype)
            tile[0] = loaded == 0
            tile[places[: loaded << run_bits]] = state[row, base + indices[: loaded << run_bits]]
            for choice in range(first, first + count):
                image = tile
                for record in records:
                    image = operate(image, record, coefficients[program], choice, starts)
                state[row + jumps[choice], base + indices] = image[places]


def operate(tile, record, coefficients, choice, starts):
    """One operation on a tile."""
    kind, low, high, first, rank, entry = record
    number = np.arange(len(tile))
    if kind == DIAGONAL:
        entries = first + starts[entry + (number >> low)] + (number & (1 << low) - 1)
        return tile * coefficients[entries]
    if kind == BRANCH:
        first += 4 * (choice // high % rank)
        kind = 0
    if kind == MULTIPLEXED:
        first = first + 4 * (number >> high & 1)
    bits = [low, high] if kind == 1 else [low]
    size = 1 << len(bits)
    row = sum((number >> bit & 1) << k for k, bit in enumerate(bits))
    rest = number & ~sum(1 << bit for bit in bits)
    image = np.zeros_like(tile)
    for column in range(size):
        there = rest | sum((column >> k & 1) << bit for k, bit in enumerate(bits))
        image += coefficients[first + size * row + column] * tile[there]
    return image


def factors(string, x):
    """(-1)^|x & signs| where x & mask == value, else 0."""
    _, signs, mask, value = string
    odd = np.array([int(number & signs).bit_count() & 1 for number in x.tolist()])
    return np.where(x & mask == value, 1.0 - 2.0 * odd, 0.0)


def sums(bra, ket, strings):
    """(strings, a, b), in double precision."""
    x = np.arange(ket.shape[1])
    return np.array(
        [
            bra[:, x ^ string[0]].conj().astype(complex) @ (factors(string, x) * ket).T
            for string in strings.tolist()
        ]
    )


def images(ket, strings, start, columns, conjugate):
    """(strings * rows, columns)."""
    y = np.arange(start, start + columns)
    found = []
    for string in strings.tolist():
        x = y ^ string[0]
        found.extend(factors(string, x) * ket[:, x])
    return np.conj(found) if conjugate else np.array(found)


def rotate(states, bit, matrix):
    """Every row times a (2, 2) matrix on one bit."""
    rows = states.reshape(len(states), -1, 2, 1 << bit)
    return np.einsum("ij,rajb->raib", matrix, rows).reshape(states.shape)
