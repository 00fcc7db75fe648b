"""Distributions of a label, whose parameters a model predicts: what losses and metrics ask of them.

A distribution holds no parameters of its own. A model predicts them, on the last axis of its
output, `(..., labels, parameters)`; each method takes them from there.
"""

from __future__ import annotations

from typing import Any, TypeVar

from keras import ops

from keras_masked import _backend, serialization
from keras_masked.constructors import Strict, as_call, snake_case
from keras_masked.distributions.support import Domain

Tensor = Any


T = TypeVar("T", bound=type)

KNOWN: dict[str, Any] = {}
"""Families by name."""


def register(family: T) -> T:
    """Registers a family, so that saved models load, and makes its name known."""
    for name in (family.__name__, snake_case(family.__name__), family.__name__.lower()):
        KNOWN[name] = family
    registered: T = serialization.register("keras_masked.distributions")(family)
    return registered


LEVELS = 64
"""How many quantiles a derived CRPS is the sum of."""


class MissingMethod(NotImplementedError, ValueError):
    """A family lacks the method that is asked for."""


class Distribution(Strict):
    """Base class: the distribution of a label, given the parameters predicted for it.

    A subclass names its `parameters` and implements `nll` (or `log_prob`), `cdf`, `quantile`,
    `mean` and `variance`; `rescale` and `widen`, if it has them. The rest is derived: `log_cdf` and
    `log_survival` from `cdf`, and `crps` from quantiles, unless it implements them, too. A method
    that it has not raises, naming both, once it is needed. Decorated with
    `keras.saving.register_keras_serializable`, it saves with the losses that use it. Then
    `NegativeLogLikelihood` trains it, `IntervalCoverage` and `StandardizedResidualScatter` check
    it, `OfMean` measures its mean, and `DistributionHead` predicts it.
    """

    parameters: tuple[str, ...] = ()
    """Names of the parameters, in their order on the last axis."""
    constant = 0.0
    """The part of the negative log-density that depends on nothing; `nll` leaves it out."""
    support: Domain | None = None
    """What labels can be; `None` for any number. Others raise in losses and metrics as far as
    values are at hand, in arrays, and are NaN elsewhere."""
    discrete = False
    """Whether labels are whole numbers."""
    label_axes = 0
    """How many axes one label has: 1 where the numbers of a row are one label together."""
    initial: tuple[float, ...] = ()
    """Biases with which a head starts where no labels are known; empty for all 0."""

    def __repr__(self) -> str:
        """The call that makes an equal distribution."""
        return as_call(self)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density at `y`, less `constant`.

        Args:
            y: Labels `(..., labels)`.
            parameters: Their parameters `(..., labels, parameters)`.
        """
        self._needs("log_prob", "nll")
        return -self.log_prob(y, parameters) - self.constant

    def log_prob(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the log-density at `y`, or the logarithm of the probability of a count.

        Args:
            y: Labels `(..., labels)`.
            parameters: Their parameters `(..., labels, parameters)`.
        """
        self._needs("nll", "log_prob")
        return -(self.nll(y, parameters) + self.constant)

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the distribution function at `y`: the probability of no more than that.

        Args:
            y: Labels `(..., labels)`.
            parameters: Their parameters `(..., labels, parameters)`.
        """
        self._needs("log_cdf", "cdf")
        return ops.exp(self.log_cdf(y, parameters))

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no more than `y`.

        Derived from `cdf`, it is -inf where that is 0 to rounding: of no use far out.

        Args:
            y: Labels `(..., labels)`.
            parameters: Their parameters `(..., labels, parameters)`.
        """
        self._needs("cdf", "log_cdf")
        return _log(self.cdf(y, parameters))

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than `y`.

        Derived from `cdf`, it is -inf where that is 1 to rounding: of no use far out.

        Args:
            y: Labels `(..., labels)`.
            parameters: Their parameters `(..., labels, parameters)`.
        """
        self._needs("cdf", "log_survival")
        return _log(1.0 - self.cdf(y, parameters))

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the value below which a label lies with this probability.

        Args:
            probability: A number, or one per label `(..., labels)`, between 0 and 1.
            parameters: The parameters `(..., labels, parameters)`.
        """
        raise self._lacks("quantile")

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the means.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        raise self._lacks("mean")

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns the variances.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        raise self._lacks("variance")

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        r"""Returns the continuous ranked probability score, in the units of the label.

        $$\int (F(x) - [x \ge y])^2 \, dx = 2 \int_0^1 ([y \le q_t] - t) (q_t - y) \, dt$$

        Derived from quantiles, 64 of them, it is good to about one part in a thousand.

        Args:
            y: Labels `(..., labels)`.
            parameters: Their parameters `(..., labels, parameters)`.
        """
        self._needs("quantile", "crps")
        y = ops.convert_to_tensor(y, dtype=ops.convert_to_tensor(parameters).dtype)
        score = ops.zeros_like(y)
        for level, weight in zip(*LEVELS_AND_WEIGHTS, strict=True):
            distance = self.quantile(level, parameters) - y
            slope = ops.where(distance >= 0, 1.0 - level, -level)
            score = score + 2.0 * weight * ops.cast(slope, distance.dtype) * distance
        return score

    def standardize(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns (y - mean) / standard deviation.

        Args:
            y: Labels `(..., labels)`.
            parameters: Their parameters `(..., labels, parameters)`.
        """
        return (y - self.mean(parameters)) * ops.rsqrt(self.variance(parameters))

    def widen(self, parameters: Tensor, error: Tensor) -> Tensor:
        """Returns the parameters of the label with its own error added, independent and Gaussian.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            error: Standard deviations of the errors `(..., labels)`.
        """
        raise ValueError(f"{type(self).__name__} cannot take known errors of labels into account.")

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns the parameters of `scale` times the label plus `shift`.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            scale: Positive factors `(labels,)`.
            shift: What is added then `(labels,)`.
        """
        raise ValueError(f"{type(self).__name__} cannot be rescaled.")

    def put_out(self, numbers: Tensor) -> Tensor:
        """Returns the parameters that a head puts out, of as many numbers: the numbers themselves.

        Args:
            numbers: Any numbers `(..., labels, parameters)`.
        """
        return numbers

    def take_in(self, parameters: Tensor) -> Tensor:
        """Returns the numbers of which `put_out` makes these parameters.

        Args:
            parameters: Parameters `(..., labels, parameters)`.
        """
        return parameters

    def denormalize(self, parameters: Tensor, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns the parameters of labels, from those of labels less mean over deviation.

        By default `rescale`. Families that have no such labels, of positive numbers, say, take
        theirs relative to those of `start`: so that a network which puts out numbers of the order
        of 1 predicts what is of the order of the labels.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations `(labels,)`.
        """
        return self.rescale(parameters, standard_deviation, mean)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters of about this mean and standard deviation, with which to start.

        By default those that `rescale` makes of all 0.

        Args:
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations, above 0 `(labels,)`.
        """
        zeros = ops.zeros((*ops.shape(mean), len(self.parameters)), dtype=mean.dtype)
        return self.denormalize(zeros, mean, standard_deviation)

    def check(self, parameters: Tensor) -> None:
        """Raises `ValueError` where the last axis does not hold these parameters.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        size = parameters.shape[-1]
        if size is not None and size != len(self.parameters):
            raise ValueError(
                f"The last axis of `y_pred` must hold {_listed(self.parameters)}. "
                f"Received: y_pred.shape={tuple(parameters.shape)}"
            )

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` needs: the arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Distribution:
        """Builds a distribution from its config."""
        serialization.check_config_keys(cls, config)
        return cls(**config)

    def _needs(self, method: str, asked: str) -> None:
        """Raises where a method is not this family's own, from which another is derived."""
        if getattr(type(self), method) is getattr(Distribution, method):
            raise self._lacks(asked)

    def _lacks(self, method: str) -> MissingMethod:
        return MissingMethod(f"{type(self).__name__} has no method `{method}`.")


def _log(probability: Tensor) -> Tensor:
    """log, -inf at 0 and below, with a slope of 0 there rather than NaN."""
    none = probability <= 0
    found = ops.log(ops.where(none, ops.ones_like(probability), probability))
    return ops.where(none, ops.full_like(found, -float("inf")), found)


def _levels() -> tuple[list[float], list[float]]:
    """Levels t = u^2 (3 - 2 u), dense at both ends but none 1 in float32, and their weights."""
    u, weight = _backend.gauss_legendre(LEVELS)
    levels = [x**2 * (3.0 - 2.0 * x) for x in u]
    return levels, [6.0 * w * x * (1.0 - x) for x, w in zip(u, weight, strict=True)]


LEVELS_AND_WEIGHTS = _levels()


def _listed(names: tuple[str, ...], most: int = 12) -> str:
    """Names, but not hundreds of them, and how many there are."""
    shown = ", ".join(names if len(names) <= most else (*names[: most - 2], "...", names[-1]))
    return f"{len(names)} parameters: {shown}" if len(names) > 1 else shown
