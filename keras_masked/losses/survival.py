"""Cox's partial likelihood, over the risk sets of a batch."""

from __future__ import annotations

from typing import Any, Unpack

from keras import ops

from keras_masked import _backend
from keras_masked.formulas.survival import TIME, partial_likelihood
from keras_masked.losses.base import MaskedLoss, Masking, register
from keras_masked.observation import (
    NAN,
    Missing,
    Observation,
    gate_input,
    observe,
    replace,
    standardize_missing,
    with_mask,
)
from keras_masked.validation import Reduction, one_of

Tensor = Any

TIES = ("efron", "breslow")


def cox_values(seen: Observation, ties: str) -> tuple[Tensor, Observation]:
    """What each event adds to the loss, 0 elsewhere; and which labels are events.

    Backends do not agree on NaN among the scores of a risk set: these are taken out, and given back
    to every event of the column.
    """
    shape = ops.shape(seen.y_pred)
    columns = shape[-1] if len(shape) > 1 else 1
    hidden = ops.zeros_like(seen.y_pred, dtype="bool") if seen.hidden is None else seen.hidden()
    scores = replace(gate_input(seen.y_pred, seen.hidden), seen.hidden, 0.0)
    known = ops.logical_not(hidden)
    # Labels that are none, where values are not at hand, are NaN.
    unknown = ops.logical_and(known, _backend.isnan(scores + seen.y_true))
    diverged = ops.where(unknown, scores + seen.y_true, ops.zeros_like(scores))
    absent = ops.logical_or(hidden, unknown)
    events = ops.logical_and(seen.y_true == seen.upper, ops.logical_not(absent))
    times = ops.where(absent, -float("inf") + ops.zeros_like(scores), seen.y_true)
    finite = ops.where(absent, ops.zeros_like(scores), scores)
    log_weights = ops.zeros_like(scores)
    if seen.weight is not None:
        log_weights = ops.log(ops.where(absent, ops.ones_like(seen.weight), seen.weight))

    def flat(x: Tensor) -> Tensor:
        return ops.reshape(x, (-1, columns))

    losses = partial_likelihood(flat(times), flat(events), flat(finite), flat(log_weights), ties)
    losses = losses + ops.sum(flat(diverged), axis=0)
    some = ops.logical_or(events, unknown)
    losses = ops.where(some, ops.reshape(losses, shape), ops.zeros_like(scores))
    # Events of weight 0 add nothing, and count all the same, as labels do in any other loss.
    return losses, seen.restrict(ops.logical_or(seen.y_true == seen.upper, unknown))


@register
class CoxPartialLikelihood(MaskedLoss):
    r"""Negative logarithm of Cox's partial likelihood, averaged over the observed events.

    $$L = \frac{1}{\sum_i e_i} \sum_i e_i w_i \left(\log \sum_{j \in R_i} w_j \exp p_j - p_i\right),
      \quad R_i = \{j : o_j = 1, \; t_j \ge t_i\}$$

    with $t_i$ the time of label $i$ and $e_i$ 1 where it is that of an event, 0 where it is
    censored or missing, $o_i$ 1 where it is observed, $w_i$ its weight and $p_i$ the prediction:
    the logarithm of its hazard but for what all have in common. Higher is worse. Each column of
    labels has events and risk sets $R_i$ of its own, of which missing labels are in none. Without
    an event the loss is 0.

    Where d events share a time, the formula is Breslow's. Efron's, the default, lets their own part
    of the risk set go by and by: the k-th of them, from 0, has a risk set less k / d of that.

    **The risk set of a batch is made of the batch**: of those that the data hold, it is a sample.
    So the loss is not that of all data, its minimum is near to theirs the more rows a batch has,
    and a batch needs several events. Whoever can should have all rows in one batch.

    A weight counts a row as often, in the risk sets, too (those of 0 are in none), as in R's
    `coxph`; with Breslow's ties and `reduction="mean_with_sample_weight"` integer weights are
    repeated rows exactly.

    Args:
        ties: `"efron"` or `"breslow"`.
        reduction: As in Keras, over events; `"sum"` is the sum over events. `None` gives what each
            event adds.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`; `average` may be `"micro"` or `"macro"`, of the columns with
            any event.

    Shapes: `y_true` `(rows, columns, 2)`: `[t, t]` for an event, `[t, inf]` where it had not come
    by then, see `keras_masked.censored_labels`; `y_pred` `(rows, columns)`. Without reduction,
    `(rows, columns)`.

    Raises:
        ValueError: If shapes do not align, on `average="samples"` or `observed_rate=`, and on
            labels that are censored from the left or within an interval, as far as values are at
            hand. In tensors, such a label gives NaN.

    Example:

    >>> inf = np.inf
    >>> y_true = np.array([[[1.0, 1.0]], [[2.0, 2.0]], [[3.0, inf]], [[np.nan, np.nan]]])
    >>> y_pred = np.log([[2.0], [1.0], [1.0], [9.0]])
    >>> loss = keras_masked.losses.CoxPartialLikelihood()
    >>> round(float(loss(y_true, y_pred)), 4)  # (log(4 / 2) + log(2 / 1)) / 2
    0.6931

    Source: Cox 1972, 1975; Efron 1977; Breslow 1974.
    """

    label = TIME

    admits = {"ties": one_of(*TIES)}

    def __init__(
        self,
        ties: str = "efron",
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "cox_partial_likelihood",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        if masking.get("average") == "samples" or masking.get("observed_rate") is not None:
            raise ValueError(
                "CoxPartialLikelihood is a mean over events, which are no samples and have no "
                f"`observed_rate`. Received: {dict(masking)}"
            )
        super().__init__(reduction, name, dtype, ties=ties, **masking)

    @property
    def rows_are_labels(self) -> bool:
        """Each event is a row of its own."""
        return True

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """What each event adds to the loss, and which labels are events."""
        options = {"missing": self.missing, "dtype": self.dtype}
        seen = observe(y_true, y_pred, sample_weight, self.label, **options).in_columns()
        # Weights of columns after that: in risk sets they would cancel, but add a constant.
        return self.weigh(*cox_values(seen, self._options["ties"]))


@register
def cox_partial_likelihood(
    y_true: Tensor, y_pred: Tensor, *, ties: str = "efron", missing: Missing = NAN
) -> Tensor:
    """Returns what each event adds to the negative logarithm of Cox's partial likelihood.

    See `CoxPartialLikelihood`.

    >>> inf = np.inf
    >>> y_true = np.array([[[1.0, 1.0]], [[2.0, 2.0]], [[3.0, inf]], [[np.nan, np.nan]]])
    >>> y_pred = np.log([[2.0], [1.0], [1.0], [9.0]])
    >>> events = keras_masked.losses.cox_partial_likelihood(y_true, y_pred)
    >>> [round(float(event[0]), 4) for event in events]
    [0.6931, 0.6931, 0.0, 0.0]
    """
    options = CoxPartialLikelihood.checked(ties=ties)
    seen = observe(y_true, y_pred, None, TIME, missing=standardize_missing(missing))
    return with_mask(*cox_values(seen.in_columns(), options["ties"]))
