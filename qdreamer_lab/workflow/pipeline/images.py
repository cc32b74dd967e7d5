"""The images of the pipeline: two of the handwritten digits that scikit-learn ships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import MotifError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Images", "load_images"]

_DIGITS = (3, 8)
"""Two that are easily taken for each other."""


@dataclass(frozen=True)
class Images:
    """Images in random order.

    Attributes:
        pixels: Images x rows x columns, between 0 and 1.
        labels: 0 or 1 for each.
        train: How many of the first ones are for learning; the rest is for judging.
    """

    pixels: NDArray[np.float64]
    labels: NDArray[np.int64]
    train: int

    def baseline(self) -> float:
        """Accuracy of a linear classifier on the pixels themselves."""
        from sklearn.linear_model import LogisticRegression

        flat = self.pixels.reshape(len(self.pixels), -1)
        model = LogisticRegression(max_iter=1000).fit(flat[: self.train], self.labels[: self.train])
        return float(model.score(flat[self.train :], self.labels[self.train :]))


def load_images(count: int, seed: int) -> Images:
    """Some of the images, as many of one digit as of the other.

    Args:
        count: How many.
        seed: Of the choice, and of the order.

    Raises:
        MotifError: scikit-learn is not installed, or it has fewer images.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MotifError(
            "this motif needs scikit-learn: pip install 'qdreamer-lab[learn]'"
        ) from None
    found = load_digits()
    draws = np.random.default_rng(seed)
    shares = (count - count // 2, count // 2)
    chosen = []
    for digit, share in zip(_DIGITS, shares, strict=True):
        known = np.flatnonzero(found.target == digit)
        if share > len(known):
            raise MotifError(f"images={count}: there are {2 * len(known)} at most")
        chosen.append(draws.permutation(known)[:share])
    # One of each in turn, so that both parts have both.
    order = np.concatenate(chosen)[np.argsort(np.concatenate([np.arange(n) for n in shares]))]
    labels = (found.target[order] == _DIGITS[1]).astype(np.int64)
    return Images(found.images[order] / 16, labels, 3 * count // 4)
