"""Distributions of real numbers."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions.base import Distribution, register
from keras_masked.distributions.location_scale import LocationScale
from keras_masked.distributions.search import beta_logit
from keras_masked.validation import POSITIVE, optional

Tensor = Any


@register
class Gaussian(Distribution):
    r"""The normal distribution, by its mean and the logarithm of its variance.

    $$-\log p(y) = \frac{(y - m)^2}{2 e^s} + \frac s 2 + \frac{\log 2 \pi}{2}$$

    The variance is predicted by its logarithm, so that any number that a network puts out is valid
    and no division by 0 occurs.

    Shapes: parameters `(..., labels, 2)`: means and logarithms of variances.

    Example:

    >>> gaussian = keras_masked.distributions.Gaussian()
    >>> parameters = np.array([[[1.0, np.log(4.0)]]])
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     gaussian.mean(parameters), gaussian.variance(parameters),
    ...     gaussian.cdf(np.array([[3.0]]), parameters), gaussian.quantile(0.8413, parameters))]
    [1.0, 4.0, 0.8413, 2.9997]

    Source: Nix and Weigend 1994, for the likelihood of predicted variances; Kendall and Gal 2017,
    equation 8, for the logarithm.
    """

    parameters = ("mean", "log_variance")
    constant = 0.5 * math.log(2.0 * math.pi)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns (y - m)^2 / (2 exp(s)) + s / 2.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        return 0.5 * (ops.square(self.standardize(y, parameters)) + parameters[..., 1])

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns (1 + erf(z / sqrt(2))) / 2 with z the standardized label.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        z = self.standardize(ops.convert_to_tensor(y), ops.convert_to_tensor(parameters))
        return 0.5 * (1.0 + ops.erf(z * math.sqrt(0.5)))

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns log((1 + erf(z / sqrt(2))) / 2), as exact far out as near the mean.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        z = self.standardize(ops.convert_to_tensor(y), ops.convert_to_tensor(parameters))
        return _backend.log_ndtr(z)

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns log((1 - erf(z / sqrt(2))) / 2), as exact far out as near the mean.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        z = self.standardize(ops.convert_to_tensor(y), ops.convert_to_tensor(parameters))
        return _backend.log_ndtr(-z)

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns exp(s / 2) (z erf(z / sqrt(2)) + 2 phi(z) - 1 / sqrt(pi)), phi the density.

        Gneiting and Raftery 2007, equation 21 and what precedes it.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        y, parameters = ops.convert_to_tensor(y), ops.convert_to_tensor(parameters)
        z = self.standardize(y, parameters)
        density = math.sqrt(2.0 / math.pi) * ops.exp(-0.5 * ops.square(z))
        score = z * ops.erf(z * math.sqrt(0.5)) + density - 1.0 / math.sqrt(math.pi)
        return ops.exp(0.5 * parameters[..., 1]) * score

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns m + exp(s / 2) z, with z the quantile of the standard normal distribution.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        probability = ops.convert_to_tensor(probability, dtype=parameters.dtype)
        z = _backend.ndtri(probability)
        return parameters[..., 0] + ops.exp(0.5 * parameters[..., 1]) * z

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns m.

        Args:
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        return ops.convert_to_tensor(parameters)[..., 0]

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns exp(s).

        Args:
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        return ops.exp(ops.convert_to_tensor(parameters)[..., 1])

    def standardize(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns (y - m) exp(-s / 2), finite where the variance itself is not.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        return (y - parameters[..., 0]) * ops.exp(-0.5 * parameters[..., 1])

    def widen(self, parameters: Tensor, error: Tensor) -> Tensor:
        """Returns m and log(exp(s) + err^2).

        Args:
            parameters: Means and log-variances `(..., labels, 2)`.
            error: Standard deviations of the labels' errors `(..., labels)`.
        """
        none = ops.equal(error, 0)
        log_error = 2.0 * ops.log(ops.where(none, ops.ones_like(error), ops.abs(error)))
        log_var = parameters[..., 1]
        # Not `ops.logaddexp`: at a tie TensorFlow's has slopes of 1 and 0, and a network that
        # starts at s = 0 with errors of 1 is at a tie.
        sum_ = log_var + ops.softplus(log_error - log_var)
        return ops.stack([parameters[..., 0], ops.where(none, log_var, sum_)], axis=-1)

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns a m + b and s + 2 log a.

        Args:
            parameters: Means and log-variances `(..., labels, 2)`.
            scale: Positive factors a `(labels,)`.
            shift: What is added then, b `(labels,)`.
        """
        mean = parameters[..., 0] * scale + shift
        return ops.stack([mean, parameters[..., 1] + 2.0 * ops.log(scale)], axis=-1)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters that have this mean and standard deviation.

        Args:
            mean: Means `(labels,)`.
            standard_deviation: Standard deviations, above 0 `(labels,)`.
        """
        return ops.stack([mean, 2.0 * ops.log(standard_deviation)], axis=-1)


@register
class Laplace(LocationScale):
    r"""The Laplace distribution, by location and the logarithm of the scale.

    $$-\log p(y) = \frac{|y - m|}{e^s} + s + \log 2$$

    Its likelihood is that of mean absolute errors, so that outliers count for less than under the
    Gaussian.

    Shapes: parameters `(..., labels, 2)`: locations and logarithms of scales.

    Example:

    >>> laplace = keras_masked.distributions.Laplace()
    >>> parameters = np.array([[[1.0, np.log(2.0)]]])
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     laplace.mean(parameters), laplace.variance(parameters),
    ...     laplace.cdf(np.array([[3.0]]), parameters), laplace.quantile(0.9, parameters))]
    [1.0, 8.0, 0.8161, 4.2189]

    Source: Johnson, Kotz and Balakrishnan 1995, chapter 24; Jordan, Krueger and Lerch 2019,
    appendix A, for the score.
    """

    constant = math.log(2.0)
    _variance = 2.0

    def _nll(self, z: Tensor) -> Tensor:
        return _backend.absolute(z)

    def _log_cdf(self, z: Tensor) -> Tensor:
        below = z < 0
        tail = ops.where(below, ops.zeros_like(z), -z) - math.log(2.0)
        return ops.where(below, z - math.log(2.0), ops.log1p(-ops.exp(tail)))

    def _quantile(self, probability: Tensor) -> Tensor:
        below = probability < 0.5
        tail = ops.log(2.0 * ops.where(below, probability, 1.0 - probability))
        return ops.where(below, tail, -tail)

    def _crps(self, z: Tensor) -> Tensor:
        size = _backend.absolute(z)
        return size + ops.exp(-size) - 0.75


@register
class Logistic(LocationScale):
    r"""The logistic distribution, by location and the logarithm of the scale.

    $$-\log p(y) = |z| + 2 \log (1 + e^{-|z|}) + s, \quad z = \frac{y - m}{e^s}$$

    Nearly a Gaussian in the middle, with tails as those of the Laplace distribution.

    Shapes: parameters `(..., labels, 2)`: locations and logarithms of scales.

    Example:

    >>> logistic = keras_masked.distributions.Logistic()
    >>> parameters = np.array([[[1.0, np.log(2.0)]]])
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     logistic.mean(parameters), logistic.variance(parameters),
    ...     logistic.cdf(np.array([[3.0]]), parameters), logistic.quantile(0.9, parameters))]
    [1.0, 13.1595, 0.7311, 5.3944]

    Source: Johnson, Kotz and Balakrishnan 1995, chapter 23; Jordan, Krueger and Lerch 2019,
    appendix A, for the score.
    """

    _variance = math.pi**2 / 3.0

    def _nll(self, z: Tensor) -> Tensor:
        size = _backend.absolute(z)
        return size + 2.0 * ops.log1p(ops.exp(-size))

    def _log_cdf(self, z: Tensor) -> Tensor:
        return ops.log_sigmoid(z)

    def _quantile(self, probability: Tensor) -> Tensor:
        return ops.log(probability) - ops.log1p(-probability)

    def _crps(self, z: Tensor) -> Tensor:
        return self._nll(z) - 1.0


@register
class StudentT(LocationScale):
    r"""Student's t distribution, by location, the logarithm of the scale, and degrees of freedom.

    $$-\log p(y) = \frac{\nu + 1}{2} \log \Bigl(1 + \frac{z^2}{\nu}\Bigr) + s
      + \log \frac{\Gamma(\nu / 2) \sqrt{\nu \pi}}{\Gamma((\nu + 1) / 2)}, \quad
      z = \frac{y - m}{e^s}$$

    Its tails are heavy: an outlier moves the location hardly more than any other label.

    Args:
        df: The degrees of freedom, above 0, the same for all labels. By default they are predicted,
            as a third parameter: 2 and the exponential of it, so that there is a variance.

    Shapes: parameters `(..., labels, 2)`: locations and logarithms of scales; with `df=None`
    `(..., labels, 3)`: those and the logarithms of the degrees of freedom above 2. The mean is NaN
    where `df` is 1 or less, and the variance infinite where it is 2 or less.

    Example:

    >>> student = keras_masked.distributions.StudentT(df=4)
    >>> parameters = np.array([[[1.0, np.log(2.0)]]])
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     student.mean(parameters), student.variance(parameters),
    ...     student.cdf(np.array([[3.0]]), parameters), student.quantile(0.9, parameters))]
    [1.0, 8.0, 0.813, 4.0664]
    >>> keras_masked.distributions.StudentT().parameters
    ('location', 'log_scale', 'log_df')

    Source: Lange, Little and Taylor 1989, "Robust statistical modeling using the t distribution";
    Jordan, Krueger and Lerch 2019, appendix A, for the score.
    """

    constant = 0.5 * math.log(math.pi)
    admits = {"df": optional(POSITIVE)}

    def __init__(self, df: float | None = None) -> None:
        self.df = df
        if df is None:
            self.parameters = ("location", "log_scale", "log_df")
        else:
            self._variance = df / (df - 2.0) if df > 2 else float("inf")

    def _freedom(self, parameters: Tensor) -> Tensor:
        """Degrees of freedom, one for each label."""
        if self.df is None:
            return 2.0 + ops.exp(parameters[..., 2])
        return ops.full_like(parameters[..., 1], self.df)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density, less log(pi) / 2.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        df = self._freedom(parameters)
        t = self._z(y, parameters) * ops.rsqrt(df)
        # log(1 + t^2) where t^2 may not be a number.
        large = _backend.absolute(t) > 1e9
        safe = ops.where(large, ops.ones_like(t), t)
        log = ops.where(
            large,
            2.0 * ops.log(_backend.absolute(ops.where(large, t, ops.ones_like(t)))),
            ops.log1p(ops.square(safe)),
        )
        norm = 0.5 * ops.log(df) - _backend.log_gamma_half(0.5 * df)
        return 0.5 * (df + 1.0) * log + norm + parameters[..., 1]

    def _tails(self, y: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        parameters = ops.convert_to_tensor(parameters)
        df = self._freedom(parameters)
        t = _backend.clip(self._z(y, parameters) * ops.rsqrt(df), -1e12, 1e12)
        root = ops.sqrt(1.0 + ops.square(t))
        excess = t / root  # of x = (1 + t / root) / 2 over one half
        size = ops.where(t < 0, -t, t)
        less = 1.0 / (root * (root + size))
        twice = ops.where(t < 0, less, 1.0 + excess), ops.where(t < 0, 1.0 - excess, less)
        half = 0.5 * df
        x, y = (0.5 * twice[0], excess, twice[0]), (0.5 * twice[1], -excess, twice[1])
        return _backend.log_beta_tails(half, half, x, y)

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        return self._tails(y, parameters)[0]

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        return self._tails(y, parameters)[1]

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the value below which a label lies with this probability, by search.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: The parameters `(..., labels, parameters)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        probability = ops.convert_to_tensor(probability, dtype=parameters.dtype)
        df = self._freedom(parameters)
        z = ops.sqrt(df) * ops.sinh(0.5 * beta_logit(probability, 0.5 * df, 0.5 * df))
        return parameters[..., 0] + ops.exp(parameters[..., 1]) * z

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the location.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        location = ops.convert_to_tensor(parameters)[..., 0]
        return location if self.df is None or self.df > 1 else location * float("nan")

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns exp(2 s) nu / (nu - 2).

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        squared = ops.exp(2.0 * parameters[..., 1])
        if self.df is None:
            return squared * (1.0 + 2.0 * ops.exp(-parameters[..., 2]))
        return squared * self._variance

    def standardize(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns (y - mean) / standard deviation.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        z = self._z(y, parameters)
        if self.df is None:
            parameters = ops.convert_to_tensor(parameters)
            return z * ops.rsqrt(1.0 + 2.0 * ops.exp(-parameters[..., 2]))
        return z * (1.0 / math.sqrt(self._variance))

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the continuous ranked probability score; infinite where `df` is 1 or less.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        scale, df, z = (
            ops.exp(parameters[..., 1]),
            self._freedom(parameters),
            self._z(y, parameters),
        )
        if self.df is not None and self.df <= 1:
            return ops.full_like(z, float("inf")) + 0.0 * z
        log_cdf, log_survival = self._tails(y, parameters)
        log_density = -self.nll(y, parameters) + parameters[..., 1] - self.constant
        z = _backend.clip(z, -1e18, 1e18)
        root = ops.sqrt(df)
        spread = _backend.log_gamma_half(0.5 * df) * 2.0 - _backend.log_gamma_half(df - 0.5)
        spread = 2.0 * root / (df - 1.0) * ops.exp(spread - 0.5 * math.log(math.pi))
        density = 2.0 * ops.exp(log_density) * (df + ops.square(z)) / (df - 1.0)
        return scale * (z * (ops.exp(log_cdf) - ops.exp(log_survival)) + density - spread)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters that have this mean and, with more than 2 `df`, standard deviation.

        Args:
            mean: Means `(labels,)`.
            standard_deviation: Standard deviations, above 0 `(labels,)`.
        """
        if self.df is None:
            log_scale = ops.log(standard_deviation) - 0.5 * math.log(3.0)
            return ops.stack([mean, log_scale, ops.zeros_like(mean)], axis=-1)
        variance = self._variance if self.df > 2 else 1.0
        return ops.stack([mean, ops.log(standard_deviation) - 0.5 * math.log(variance)], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"df": self.df}
