"""The levels of H2 in the STO-3G basis, from integrals over Gaussians: nothing is looked up but
the basis itself.

    Szabo & Ostlund, Modern Quantum Chemistry, appendix A, and section 3.5.2 for the basis
"""

import itertools
from math import erf, exp, pi, sqrt

import numpy as np

EXPONENTS = (3.42525091, 0.62391373, 0.16885540)
WEIGHTS = (0.15432897, 0.53532814, 0.44463454)
BOHR = 0.529177210903


def primitives(center):
    return [
        (alpha, weight * (2 * alpha / pi) ** 0.75, center)
        for alpha, weight in zip(EXPONENTS, WEIGHTS, strict=True)
    ]


def f0(t):
    return 1 - t / 3 if t < 1e-8 else sqrt(pi / t) / 2 * erf(sqrt(t))


def pair(a, b):
    """Exponent, center and factor of the product of two Gaussians on a line."""
    p = a[0] + b[0]
    center = (a[0] * a[2] + b[0] * b[2]) / p
    factor = a[1] * b[1] * exp(-a[0] * b[0] / p * (a[2] - b[2]) ** 2)
    return p, center, factor


def summed(function, *orbitals):
    return sum(function(*each) for each in itertools.product(*orbitals))


def overlap(a, b):
    p, _, factor = pair(a, b)
    return factor * (pi / p) ** 1.5


def kinetic(a, b):
    p, _, factor = pair(a, b)
    reduced = a[0] * b[0] / p
    return factor * reduced * (3 - 2 * reduced * (a[2] - b[2]) ** 2) * (pi / p) ** 1.5


def attraction(nuclei):
    def of(a, b):
        p, center, factor = pair(a, b)
        return -sum(2 * pi / p * factor * f0(p * (center - at) ** 2) for at in nuclei)

    return of


def repulsion(a, b, c, d):
    p, first, f = pair(a, b)
    q, second, g = pair(c, d)
    common = 2 * pi**2.5 / (p * q * sqrt(p + q))
    return common * f * g * f0(p * q / (p + q) * (first - second) ** 2)


def singlet_levels(angstrom):
    """Electronic energies (2,), in hartree, of both electrons sharing an orbital."""
    r = angstrom / BOHR
    atoms = [primitives(0.0), primitives(r)]
    s = summed(overlap, *atoms)
    core = np.zeros((2, 2))
    for i, j in itertools.product(range(2), repeat=2):
        core[i, j] = summed(kinetic, atoms[i], atoms[j])
        core[i, j] += summed(attraction((0.0, r)), atoms[i], atoms[j])
    both = np.zeros((2,) * 4)
    for index in itertools.product(range(2), repeat=4):
        both[index] = summed(repulsion, *(atoms[k] for k in index))
    # Orbitals follow from symmetry.
    g, u = np.array([1, 1]) / sqrt(2 + 2 * s), np.array([1, -1]) / sqrt(2 - 2 * s)

    def electrons(a, b, c, d):
        return np.einsum("i,j,k,l,ijkl", a, b, c, d, both)

    energies = np.array(
        [
            [2 * g @ core @ g + electrons(g, g, g, g), electrons(g, u, g, u)],
            [electrons(g, u, g, u), 2 * u @ core @ u + electrons(u, u, u, u)],
        ]
    )
    return np.linalg.eigvalsh(energies)
