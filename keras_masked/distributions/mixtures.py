"""Distributions that are made of others: mixtures."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend, serialization
from keras_masked.distributions.base import Distribution, register
from keras_masked.distributions.counts import least_whole
from keras_masked.distributions.lookup import get
from keras_masked.distributions.real import Gaussian
from keras_masked.distributions.search import log_odds, logit, search
from keras_masked.validation import POSITIVE_INTEGER

Tensor = Any

NODES = _backend.gauss_legendre(24)
LEAST = -1e30
"""What stands for the logarithm of 0, whose sums have slopes."""


def log_sum(x: Tensor) -> Tensor:
    """log(sum(exp(x))) along the last axis, with slopes even where all of it is 0."""
    return ops.logsumexp(_backend.maximum(x, LEAST * ops.ones_like(x)), axis=-1)


def part(distribution: Any, owner: str) -> Distribution:
    """A distribution of single labels."""
    found = get(distribution)
    if found.label_axes:
        raise ValueError(
            f"{owner}: argument `distribution` must be a distribution of single labels. "
            f"Received: distribution={distribution!r}"
        )
    return found


@register
class Mixture(Distribution):
    r"""Several distributions of one family, with the probability of each.

    $$p(y) = \sum_c \pi_c \, p_c(y), \quad \pi = \mathrm{softmax}(l)$$

    For labels that can be one thing or another: two peaks, or a peak and wide wings (a mixture
    density network). The likelihood is linear in the number of components, in time and memory; the
    score is quadratic, exact of Gaussians, and to a few parts in a thousand of others, for which it
    takes 24 times the memory.

    Args:
        distribution: The family of the components: a name, or a
            `keras_masked.distributions.Distribution`.
        components: How many.

    Shapes: parameters `(..., labels, components * (1 + parameters))`: of the first component its
    logit and parameters, then of the second, and so on.

    Example:

    >>> mixture = keras_masked.distributions.Mixture("gaussian", 2)
    >>> mixture.parameters
    ('logit_0', 'mean_0', 'log_variance_0', 'logit_1', 'mean_1', 'log_variance_1')
    >>> parameters = np.array([[[0.0, -1.0, 0.0, 0.0, 3.0, 0.0]]])
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     mixture.mean(parameters), mixture.variance(parameters),
    ...     mixture.cdf(np.array([[1.0]]), parameters), mixture.quantile(0.5, parameters))]
    [1.0, 5.0, 0.5, 1.0]

    Source: Bishop 1994, "Mixture density networks"; Grimit et al. 2006, "The continuous ranked
    probability score for circular variables and its application to mesoscale forecast ensemble
    verification", equation 5, for the score of Gaussians.
    """

    admits = {"components": POSITIVE_INTEGER}

    def __init__(self, distribution: Any = "gaussian", components: int = 2) -> None:
        self.distribution = part(distribution, "Mixture")
        self.components = components
        names = ("logit", *self.distribution.parameters)
        self.parameters = tuple(f"{name}_{i}" for i in range(components) for name in names)
        self.support = self.distribution.support
        self.discrete = self.distribution.discrete
        each = self.distribution.initial or (0.0,) * len(self.distribution.parameters)
        self.initial = tuple(b for z in self._centres() for b in (0.0, each[0] + z, *each[1:]))

    def _centres(self) -> list[float]:
        """Where the components start, equally far apart: alike they would never part."""
        n = self.components
        return [0.0] if n == 1 else [2.0 * i / (n - 1) - 1.0 for i in range(n)]

    def _parts(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of probabilities, and the components' parameters."""
        parameters = ops.convert_to_tensor(parameters)
        shape = ops.shape(parameters)[:-1]
        width = 1 + len(self.distribution.parameters)
        each = ops.reshape(parameters, (*shape, self.components, width))
        return ops.log_softmax(each[..., 0], axis=-1), each[..., 1:]

    def _with(self, parameters: Tensor, each: Tensor) -> Tensor:
        """The parameters with others of the components."""
        parameters = ops.convert_to_tensor(parameters)
        shape = ops.shape(parameters)
        width = 1 + len(self.distribution.parameters)
        logits = ops.reshape(parameters, (*shape[:-1], self.components, width))[..., :1]
        return ops.reshape(ops.concatenate([logits, each], axis=-1), shape)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        log_weight, each = self._parts(parameters)
        y = ops.convert_to_tensor(y, dtype=each.dtype)[..., None]
        return -log_sum(log_weight + self.distribution.log_prob(y, each))

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the probability of no more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        log_weight, each = self._parts(parameters)
        y = ops.convert_to_tensor(y, dtype=each.dtype)[..., None]
        return ops.sum(ops.exp(log_weight) * self.distribution.cdf(y, each), axis=-1)

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        log_weight, each = self._parts(parameters)
        y = ops.convert_to_tensor(y, dtype=each.dtype)[..., None]
        return log_sum(log_weight + self.distribution.log_cdf(y, each))

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        log_weight, each = self._parts(parameters)
        y = ops.convert_to_tensor(y, dtype=each.dtype)[..., None]
        return log_sum(log_weight + self.distribution.log_survival(y, each))

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the value below which a label lies with this probability, by search.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: The parameters `(..., labels, parameters)`.
        """
        log_weight, each = self._parts(parameters)
        probability = ops.convert_to_tensor(probability, dtype=each.dtype)
        probability = probability + ops.zeros_like(log_weight[..., 0])
        quantiles = self.distribution.quantile(probability[..., None], each)
        low, high = -_backend.amax(-quantiles, -1), _backend.amax(quantiles, -1)
        target = logit(probability)

        def excess(x: Tensor) -> tuple[Tensor, Tensor]:
            tails = self.log_cdf(x, parameters), self.log_survival(x, parameters)
            if self.discrete:
                return tails[0] - tails[1] - target, ops.zeros_like(x)
            value, slope = log_odds(tails, self.log_prob(x, parameters), target)
            return value, slope

        edge = 1e-6 * (high - low) + 1e-7 * _backend.absolute(low)
        found = search(excess, 0.5 * (low + high), low - edge, high + edge, 30)
        if self.discrete:
            return least_whole(self.cdf, found, probability, parameters)
        return ops.where(high - low <= edge, low, found)

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the mean.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        log_weight, each = self._parts(parameters)
        return ops.sum(ops.exp(log_weight) * self.distribution.mean(each), axis=-1)

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns the variance, within components and between them.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        log_weight, each = self._parts(parameters)
        away = self.distribution.mean(each) - self.mean(parameters)[..., None]
        variance = self.distribution.variance(each) + ops.square(away)
        return ops.sum(ops.exp(log_weight) * variance, axis=-1)

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns E|X - y| - E|X - X'| / 2, X and X' two labels of the mixture.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        log_weight, each = self._parts(parameters)
        weight, y = ops.exp(log_weight), ops.convert_to_tensor(y, dtype=each.dtype)[..., None]
        pairs = weight[..., None] * weight[..., None, :]
        if isinstance(self.distribution, Gaussian):
            mean, variance = each[..., 0], ops.exp(each[..., 1])
            sum_ = variance[..., None] + variance[..., None, :]
            between = _distance(mean[..., None] - mean[..., None, :], ops.sqrt(sum_))
            alone = ops.sum(weight * _distance(y - mean, ops.sqrt(variance)), axis=-1)
            return alone - 0.5 * ops.sum(pairs * between, axis=(-2, -1))
        # Scores of one component at what another one may be, and of each at what it may be itself.
        nodes = (ops.convert_to_tensor(numbers, dtype=each.dtype) for numbers in NODES)
        u, share = (ops.reshape(n, (-1, *(1 for _ in each.shape[:-1]))) for n in nodes)
        copies = each + ops.zeros_like(u)[..., None]
        level = u**2 * (3.0 - 2.0 * u) + ops.zeros_like(copies[..., 0])
        x = self.distribution.quantile(level, copies)[..., None]
        scores = self.distribution.crps(x, copies[..., None, :, :])
        scores = ops.sum((6.0 * share * u * (1.0 - u))[..., None] * scores, axis=0)
        own = ops.sum(weight * ops.diagonal(scores, axis1=-2, axis2=-1), axis=-1)
        alone = ops.sum(weight * self.distribution.crps(y, each), axis=-1)
        return alone + 0.5 * own - 0.5 * ops.sum(pairs * scores, axis=(-2, -1))

    def widen(self, parameters: Tensor, error: Tensor) -> Tensor:
        """Returns the parameters with every component widened.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            error: Standard deviations of the labels' errors `(..., labels)`.
        """
        each = self._parts(parameters)[1]
        error = ops.convert_to_tensor(error, dtype=each.dtype)[..., None]
        error = ops.broadcast_to(error, ops.shape(each)[:-1])
        return self._with(parameters, self.distribution.widen(each, error))

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns the parameters with every component rescaled.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            scale: Positive factors `(labels,)`.
            shift: What is added then `(labels,)`.
        """
        each = self._parts(parameters)[1]
        scale, shift = _of_components(scale), _of_components(shift)
        return self._with(parameters, self.distribution.rescale(each, scale, shift))

    def denormalize(self, parameters: Tensor, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns the parameters with every component in the labels' units.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations `(labels,)`.
        """
        each = self._parts(parameters)[1]
        moments = _of_components(mean), _of_components(standard_deviation)
        return self._with(parameters, self.distribution.denormalize(each, *moments))

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters of about this mean and standard deviation, components apart.

        Args:
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations, above 0 `(labels,)`.
        """
        centres = self._centres()
        between = sum(z**2 for z in centres) / self.components
        parts = []
        for z in centres:
            if self.support is None:  # half of the variance lies between components
                z = z * math.sqrt(0.5 / between) if between else 0.0
                within = math.sqrt(0.5) if between else 1.0
                moments = mean + z * standard_deviation, within * standard_deviation
                each = self.distribution.start(*moments)
            else:
                each = self.distribution.start(mean, standard_deviation)
                first = each[..., :1] + 0.5 * z
                each = ops.concatenate([first, each[..., 1:]], axis=-1)
            parts += [ops.zeros_like(each[..., :1]), each]
        return ops.concatenate(parts, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        inner = serialization.serialize(self.distribution)
        return {"distribution": inner, "components": self.components}


def _of_components(x: Any) -> Any:
    """Numbers of labels, for each of their components."""
    return x[..., None] if len(getattr(x, "shape", ())) else x


def _distance(mean: Tensor, deviation: Tensor) -> Tensor:
    """E|X| of a normal variable."""
    z = mean / deviation
    density = math.sqrt(2.0 / math.pi) * ops.exp(-0.5 * ops.square(z))
    return deviation * density + mean * ops.erf(z * math.sqrt(0.5))
