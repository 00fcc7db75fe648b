"""Joint distributions of the labels of a row."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions.base import Distribution, register
from keras_masked.validation import POSITIVE_INTEGER, optional

Tensor = Any


@register
class MultivariateGaussian(Distribution):
    r"""The joint normal distribution of the labels of a row, some of them missing.

    $$-\log p(y_o) = \tfrac 1 2 (y_o - m_o)^\top \Sigma_{oo}^{-1} (y_o - m_o)
      + \tfrac 1 2 \log \det \Sigma_{oo} + \tfrac{n_o}{2} \log 2 \pi$$

    with $o$ the labels of the row that are observed: the marginal distribution of those is exactly
    that. Rows and columns of the covariance that belong to missing labels become those of the
    identity, and their residuals 0, which changes neither the determinant nor the square: shapes do
    not depend on what is observed.

    Args:
        labels: Number $D$ of labels.
        rank: `None` for any covariance, $L L^\top$, by its Cholesky factor; a number $r$ for
            $\mathrm{diag}(d)^2 + F F^\top$ with $F$ of $D \times r$, by Woodbury's identity: for
            many labels.

    Shapes: parameters `(rows, P)`; labels `(rows, D)`. The means, then without `rank` the lower
    Cholesky factor row by row, its diagonal by logarithms, $P = D + D (D + 1) / 2$; with `rank` the
    logarithms of $d$ and $F$ row by row, $P = 2 D + D r$.

    Example:

    >>> gaussian = keras_masked.distributions.MultivariateGaussian(2)
    >>> gaussian.parameters
    ('mean_0', 'mean_1', 'log_factor_0_0', 'factor_1_0', 'log_factor_1_1')
    >>> loss = keras_masked.losses.NegativeLogLikelihood(gaussian)
    >>> y_true = np.array([[1.0, np.nan], [np.nan, np.nan]])  # the second row counts nothing
    >>> float(loss(y_true, np.zeros((2, 5))))
    0.5

    Source: Williams 1996, "Using neural networks to model conditional multivariate densities", for
    the factor; Woodbury 1950 for the inverse of low rank; Dorta et al. 2018, "Structured
    uncertainty prediction networks", for images.
    """

    label_axes = 1
    constant = 0.0
    admits = {"labels": POSITIVE_INTEGER, "rank": optional(POSITIVE_INTEGER)}

    def __init__(self, labels: int, rank: int | None = None) -> None:
        self.labels = labels
        self.rank = rank
        means = tuple(f"mean_{i}" for i in range(labels))
        if rank is None:
            rest = tuple(
                f"{'log_' if i == j else ''}factor_{i}_{j}"
                for i in range(labels)
                for j in range(i + 1)
            )
        else:
            rest = tuple(f"log_deviation_{i}" for i in range(labels))
            rest += tuple(f"factor_{i}_{j}" for i in range(labels) for j in range(rank))
        self.parameters = means + rest

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density of complete rows, less D log(2 pi) / 2.

        Args:
            y: Labels `(..., D)`.
            parameters: The parameters `(..., P)`.
        """
        return self.marginal(y, parameters, None)

    def log_prob(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the log-density of complete rows.

        Args:
            y: Labels `(..., D)`.
            parameters: The parameters `(..., P)`.
        """
        return -self.nll(y, parameters) - 0.5 * self.labels * math.log(2.0 * math.pi)

    def marginal(self, y: Tensor, parameters: Tensor, observed: Tensor | None) -> Tensor:
        """Returns the negative log-density of what is observed, less log(2 pi) / 2 for each label.

        Args:
            y: Labels `(..., D)`, of which hidden ones may be anything that is finite.
            parameters: The parameters `(..., P)`.
            observed: Which labels are observed `(..., D)`, or `None` for all.
        """
        parameters = ops.convert_to_tensor(parameters)
        residual = ops.convert_to_tensor(y, dtype=parameters.dtype) - parameters[..., : self.labels]
        if observed is not None:
            residual = ops.where(observed, residual, ops.zeros_like(residual))
            of = ops.convert_to_tensor(self._label_of(), dtype="int32")
            hidden = ops.take(ops.logical_not(observed), of, axis=-1)
            parameters = ops.where(hidden, ops.zeros_like(parameters), parameters)
        if self.rank is None:
            return self._of_cholesky(residual, parameters, observed)
        return self._of_low_rank(residual, parameters, observed)

    def _of_cholesky(self, residual: Tensor, parameters: Tensor, observed: Any) -> Tensor:
        factor, log_diagonal = self._factor(parameters)
        if observed is None:
            z = _solve_lower(factor, residual)
            return 0.5 * ops.sum(ops.square(z), axis=-1) + ops.sum(log_diagonal, axis=-1)
        # In units of the standard deviations, which may be of any size.
        log_scale = _log_lengths(factor)
        scaled = factor * ops.exp(-log_scale)[..., None]
        kept = ops.cast(observed, residual.dtype)
        correlation = ops.matmul(scaled, ops.swapaxes(scaled, -1, -2))
        eye = ops.eye(self.labels, dtype=residual.dtype)
        correlation = kept[..., None] * kept[..., None, :] * correlation * (1.0 - eye) + eye * (
            1.0 + 3e-7 * (4 + self.labels)  # else rounding could make it indefinite
        )
        lower = ops.cholesky(correlation)
        z = _solve_lower(lower, residual * ops.exp(-log_scale))
        log_determinant = ops.log(ops.diagonal(lower, axis1=-2, axis2=-1)) + kept * log_scale
        return 0.5 * ops.sum(ops.square(z), axis=-1) + ops.sum(log_determinant, axis=-1)

    def _factor(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """The lower Cholesky factor and the logarithm of its diagonal."""
        n = self.labels
        rest = parameters[..., n:]
        # Row i begins at i (i + 1) / 2; what stands above the diagonal is of no matter.
        place = [i * (i + 1) // 2 + min(i, j) for i in range(n) for j in range(n)]
        full = ops.take(rest, ops.convert_to_tensor(place, dtype="int32"), axis=-1)
        full = ops.reshape(full, (*ops.shape(parameters)[:-1], n, n))
        lower = ops.tril(ops.ones((n, n), dtype=rest.dtype), -1)
        eye = ops.eye(n, dtype=rest.dtype)
        log_diagonal = ops.diagonal(full, axis1=-2, axis2=-1)
        return full * lower + ops.exp(log_diagonal)[..., None] * eye, log_diagonal

    def _of_low_rank(self, residual: Tensor, parameters: Tensor, observed: Any) -> Tensor:
        log_deviation, factor = self._low_rank(parameters)
        z = residual * ops.exp(-log_deviation)
        scaled = factor * ops.exp(-log_deviation)[..., None]
        if observed is not None:
            shut = ops.logical_not(observed)
            scaled = ops.where(shut[..., None], ops.zeros_like(scaled), scaled)
            log_deviation = ops.where(shut, ops.zeros_like(log_deviation), log_deviation)
        assert self.rank is not None
        transposed = ops.swapaxes(scaled, -1, -2)
        capacity = ops.eye(self.rank, dtype=z.dtype) + ops.matmul(transposed, scaled)
        lower = ops.cholesky(capacity)
        projected = _solve_lower(lower, ops.matmul(transposed, z[..., None])[..., 0])
        square = ops.sum(ops.square(z), axis=-1) - ops.sum(ops.square(projected), axis=-1)
        log_determinant = ops.log(ops.diagonal(lower, axis1=-2, axis2=-1))
        return 0.5 * square + ops.sum(log_deviation, axis=-1) + ops.sum(log_determinant, axis=-1)

    def _low_rank(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of deviations, and the factor."""
        n = self.labels
        shape = (*ops.shape(parameters)[:-1], n, self.rank)
        return parameters[..., n : 2 * n], ops.reshape(parameters[..., 2 * n :], shape)

    def _log_deviations(self, parameters: Tensor) -> Tensor:
        """Logarithms of the labels' standard deviations, each by itself."""
        if self.rank is None:
            return _log_lengths(self._factor(parameters)[0])
        log_deviation, factor = self._low_rank(parameters)
        return _log_lengths(factor, log_deviation)

    def _label_of(self) -> list[int]:
        """The label to which each parameter belongs: its mean, and its row of the factor."""
        n = self.labels
        if self.rank is None:
            return [*range(n), *(i for i in range(n) for _ in range(i + 1))]
        return [*range(n), *range(n), *(i for i in range(n) for _ in range(self.rank))]

    def covariance(self, parameters: Tensor) -> Tensor:
        """Returns the covariances `(..., D, D)`.

        Args:
            parameters: The parameters `(..., P)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        if self.rank is None:
            factor, _ = self._factor(parameters)
            return ops.matmul(factor, ops.swapaxes(factor, -1, -2))
        log_deviation, factor = self._low_rank(parameters)
        eye = ops.eye(self.labels, dtype=factor.dtype)
        own = ops.exp(2.0 * log_deviation)[..., None] * eye
        return own + ops.matmul(factor, ops.swapaxes(factor, -1, -2))

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the means `(..., D)`.

        Args:
            parameters: The parameters `(..., P)`.
        """
        return ops.convert_to_tensor(parameters)[..., : self.labels]

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns the variances of the labels, each by itself `(..., D)`.

        Args:
            parameters: The parameters `(..., P)`.
        """
        return ops.exp(2.0 * self._log_deviations(ops.convert_to_tensor(parameters)))

    def marginals(self, parameters: Tensor) -> Tensor:
        """Returns each label's own mean and log-variance, `(..., D, 2)`, as of a `Gaussian`.

        Args:
            parameters: The parameters `(..., P)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        log_variance = 2.0 * self._log_deviations(parameters)
        return ops.stack([self.mean(parameters), log_variance], axis=-1)

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns the parameters of a y + b: a Sigma a, with a diagonal matrix of a.

        Args:
            parameters: The parameters `(..., P)`.
            scale: Positive factors a `(D,)`.
            shift: What is added then, b `(D,)`.
        """
        parameters, n = ops.convert_to_tensor(parameters), self.labels
        mean = parameters[..., :n] * scale + shift
        scale = scale + ops.zeros_like(parameters[..., :n])
        logs = ops.convert_to_tensor([name.startswith("log") for name in self.parameters[n:]])
        of = ops.convert_to_tensor(self._label_of()[n:], dtype="int32")
        scale, rest = ops.take(scale, of, axis=-1), parameters[..., n:]
        rest = ops.where(logs, rest + ops.log(scale), rest * scale)
        return ops.concatenate([mean, rest], axis=-1)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters of independent labels of these means and standard deviations.

        Args:
            mean: Means of the labels `(D,)`.
            standard_deviation: Their standard deviations, above 0 `(D,)`.
        """
        zeros = ops.zeros((len(self.parameters),), dtype=mean.dtype)
        return self.rescale(zeros, standard_deviation, mean)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"labels": self.labels, "rank": self.rank}


def _solve_lower(lower: Tensor, x: Tensor) -> Tensor:
    """What a lower triangular matrix makes `x` of."""
    return ops.solve_triangular(lower, x[..., None], lower=True)[..., 0]


def _log_lengths(factor: Tensor, log_deviation: Tensor | None = None) -> Tensor:
    """Logarithms of the lengths of a matrix's rows, each with a deviation of its own, if any."""
    log_least = -60.0 if log_deviation is None else log_deviation
    size = _backend.amax(ops.abs(factor), -1)
    size = ops.stop_gradient(_backend.maximum(size, ops.exp(log_least + 0.0 * size)))
    squares = ops.sum(ops.square(factor / size[..., None]), axis=-1)
    if log_deviation is not None:
        squares = squares + ops.square(ops.exp(log_deviation) / size)
    return ops.log(size) + 0.5 * ops.log(squares)
