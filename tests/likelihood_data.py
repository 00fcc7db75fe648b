"""Labels with errors, some of either missing, and a Gaussian predicted for each."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

NAN, SENTINEL = np.nan, -9999.0
ROWS, LABELS = 6, 3


class Problem:
    """Labels with errors, of which some are missing, either or both."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        shape = (ROWS, LABELS)
        self.y = rng.normal(size=shape)
        self.error = rng.gamma(2.0, 0.5, size=shape)
        self.mean = self.y + rng.normal(size=shape)
        self.log_var = rng.normal(size=shape)
        self.observed = rng.random(shape) > 0.4
        self.observed[0] = False
        self.known = rng.random(shape) > 0.3  # errors
        self.p = np.stack([self.mean, self.log_var], axis=-1)

    def labels(self, marker: float = NAN, garbage: float = 5.0) -> np.ndarray:
        error = np.where(self.known, self.error, marker)
        return np.stack(
            [np.where(self.observed, self.y, marker), np.where(self.observed, error, garbage)], -1
        )

    @property
    def scale(self) -> np.ndarray:
        """Of each label about its mean, its own error included."""
        return np.sqrt(np.exp(self.log_var) + np.where(self.known, self.error, 0) ** 2)

    @property
    def nll(self) -> np.ndarray:
        full = -norm.logpdf(self.y, self.mean, self.scale) - np.log(2 * np.pi) / 2
        return full[self.observed]


P = Problem()
