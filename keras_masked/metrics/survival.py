"""Whether those predicted to have their event earlier do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas.survival import TIME
from keras_masked.formulas.ties import by, groups_of, smaller_after, with_ties
from keras_masked.metrics.base import register
from keras_masked.metrics.censoring import OfCensoring, uncensored_so_far
from keras_masked.metrics.kept import CAPACITY, KeepsLabels
from keras_masked.observation import NAN, Missing, Observation
from keras_masked.validation import one_of

Tensor = Any

ESTIMATORS = ("harrell", "uno")


@register
class ConcordanceIndex(KeepsLabels, OfCensoring):
    r"""Share of the pairs of observed labels that predictions order as their events came.

    $$C = \frac{\sum_{i, j} c_{ij} \left([p_i > p_j] + \frac{1}{2} [p_i = p_j]\right)}
               {\sum_{i, j} c_{ij}}, \quad
      c_{ij} = w_i w_j \frac{e_i \, [t_i < t_j]}{G(t_i)^2}$$

    with $t_i$ the time of label $i$, $e_i$ 1 where it is that of an event, 0 where it is censored,
    $w_i$ its weight and $p_i$ its prediction: the logarithm of a hazard, or any score of which
    higher is worse. An event and a time censored at the same are a pair, two events are none. 1/2
    is chance. The value is the mean over the columns that have any pair; each has pairs of its own.

    With `estimator="harrell"`, $G = 1$. The pairs then depend on how labels were censored: early
    events have more of them than late ones. With `"uno"`, $G(t)$ is the probability that nothing
    is censored up to $t$, by Kaplan and Meier, so that each pair counts for those that were lost:
    from the labels that `adapt` has been given, or where it was not called, from those seen. It is
    that of the last step at later times. NaN where an event that has pairs has $G = 0$.

    Labels and predictions are kept, so that the value is that of the whole data, however split into
    batches. It is undefined where there is no pair. Pairs are counted exactly; in float32, which is
    the default, the result is right to about 2e-7, or 1e-6 with Uno's weights, and with
    `dtype="float64"` to 1e-12.

    Args:
        estimator: `"harrell"` or `"uno"`.
        capacity: How many labels to keep of each column. As soon as more than that have been
            observed in one, its value is NaN.
        name: Name of the metric.
        dtype: Dtype of the result.
        censoring: What `adapt` found: of each column the times at which something was censored,
            and the probability from each on that nothing is.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` `(rows, columns, 2)`: `[t, t]` for an event, `[t, inf]` where it had not come
    by then, see `keras_masked.censored_labels`; `y_pred` `(rows, columns)`. The result is a scalar.

    Raises:
        ValueError: If shapes do not align; on labels that are censored from the left or within an
            interval, as far as values are at hand (in tensors, these give NaN); on a replica's part
            of a batch.

    Example:

    >>> metric = keras_masked.metrics.ConcordanceIndex()
    >>> inf, nan = np.inf, np.nan
    >>> y_true = np.array([[[1.0, 1.0]], [[2.0, inf]], [[3.0, 3.0]], [[4.0, inf]], [[nan, nan]]])
    >>> y_pred = np.array([[0.5], [0.1], [0.7], [0.2], [9.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # of 1 with 2, 3, 4 and 3 with 4, all but that of 1 with 3
    0.75

    Source: Harrell et al. 1982; Uno et al. 2011, "On the C-statistics for evaluating overall
    adequacy of risk prediction procedures with censored survival data", equation 6. Ties as in
    scikit-survival, which calls scores equal that differ by no more than 1e-8.
    """

    label = TIME
    kept = 3
    per_column = True
    instead = "There is no interval or group of a concordance index here."
    _direction = "up"

    admits = {"estimator": one_of(*ESTIMATORS)}

    def __init__(
        self,
        estimator: str = "harrell",
        capacity: int = CAPACITY,
        name: str | None = "concordance_index",
        dtype: Any = None,
        *,
        censoring: Sequence[Any] | None = None,
        missing: Missing = NAN,
    ) -> None:
        options = {"estimator": estimator, "capacity": capacity, "censoring": censoring}
        super().__init__(name, dtype, missing=missing, **options)

    def values_of(self, seen: Observation) -> tuple[Tensor, ...]:
        """Times, whether they are of events, and predictions."""
        return seen.y_true, ops.cast(seen.y_true == seen.upper, seen.y_pred.dtype), seen.y_pred

    def pairs(
        self, times: Tensor, events: Tensor, scores: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Of each label what its pairs weigh, and that of those in order; and its own weight."""
        # Free slots after all others, as if censored there: they weigh nothing.
        free = ops.equal(weights, 0)
        times = ops.where(free, ops.full_like(times, float("inf")), times)
        censored = 1.0 - ops.where(free, ops.zeros_like(events), events)
        censored, times, scores, weights = by(censored, times, scores, weights)
        times, censored, scores, weights = by(times, censored, scores, weights)
        if self._options["estimator"] == "harrell":
            seen = ops.ones_like(times)
        elif self._options["censoring"] is not None:
            seen = self.uncensored_at(times)
        else:
            seen = uncensored_so_far(times, censored > 0, weights)
        order = groups_of(times, censored)
        scores, order, censored, weights, seen = by(scores, order, censored, weights, seen)
        up_to_score, _ = with_ties(weights, scores)
        up_to_both, _ = with_ties(weights, scores, order)
        tied = up_to_score - up_to_both
        # Of those that are no pairs, lesser scores come first: none of them is less after others.
        order, scores, censored, weights, seen, tied = by(
            order, scores, censored, weights, seen, tied
        )
        up_to, _ = with_ties(weights, order)
        later = ops.sum(weights, axis=0) - up_to
        ordered = smaller_after(scores, weights) + 0.5 * tied
        own = weights * (1.0 - censored) / ops.square(seen)
        none = ops.logical_or(ops.equal(later, 0), censored > 0)
        return later, ordered, ops.where(none, ops.zeros_like(own), own)

    def columns_score(self, *contents: Tensor) -> Tensor:
        """The share of each column."""
        later, ordered, own = self.pairs(*contents)
        return precise_sum(own * ordered) / precise_sum(own * later)

    def columns_defined(self, *contents: Tensor) -> Tensor:
        """Whether there is any pair, in each column."""
        times, events, _, weights = contents
        counts = weights > 0
        of_events = ops.logical_and(counts, events > 0)
        infinite = ops.full_like(times, float("inf"))
        first = _backend.amin(ops.where(of_events, times, infinite), axis=0)
        last = -_backend.amin(ops.where(counts, -times, infinite), axis=0)
        lost = ops.logical_and(counts, ops.logical_not(events > 0))
        last_lost = -_backend.amin(ops.where(lost, -times, infinite), axis=0)
        return ops.logical_or(first < last, first <= last_lost)


def precise_sum(x: Tensor) -> Tensor:
    """Sums of columns, right to the last digit but one: with what each addition rounds away."""
    size, columns = x.shape
    more = (1 << max(size - 1, 0).bit_length()) - size
    x = ops.pad(x, ((0, more), (0, 0)))
    rest = ops.zeros_like(x)
    while x.shape[0] > 1:
        half = x.shape[0] // 2
        x, left_out = _backend.two_sum(x[:half], x[half:])
        rest = rest[:half] + rest[half:] + left_out
    return x[0] + rest[0]
