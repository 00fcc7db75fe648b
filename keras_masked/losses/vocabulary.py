"""Cross-entropy of ids from hidden states and a kernel, whose logits are never all there."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_masked import _backend
from keras_masked.formulas import ANY_ID, CLASS_ID, vocabulary
from keras_masked.formulas.crossentropy import valid_ids
from keras_masked.losses.base import REDUCTIONS, register
from keras_masked.observation import (
    CLASS_IDS,
    Missing,
    Observation,
    check_class_ids,
    observe,
    reject_arrays,
    shares_of,
    standardize_missing,
    standardize_rate,
    standardize_weights,
    weigh_classes,
    with_row_mask,
)
from keras_masked.validation import (
    NON_NEGATIVE,
    POSITIVE,
    POSITIVE_INTEGER,
    PROBABILITY,
    Reduction,
    one_of,
    optional,
)

Tensor = Any

ADMITS = {
    "chunk": optional(POSITIVE_INTEGER),
    "label_smoothing": PROBABILITY,
    "z_loss": NON_NEGATIVE,
    "soft_cap": optional(POSITIVE),
    "reduction": one_of(*REDUCTIONS),
}
"""What options may be."""


@dataclasses.dataclass(frozen=True)
class LinearOptions:
    """How tokens are reduced, and what is made of hidden states and kernel."""

    missing: Missing = CLASS_IDS
    reduction: Reduction = "sum_over_batch_size"
    observed_rate: float | None = None
    class_weights: Sequence[float] | None = None
    label_smoothing: float = 0.0
    z_loss: float = 0.0
    soft_cap: float | None = None
    chunk: int | None = None

    def checked(self) -> LinearOptions:
        """The same in the form that configs store, if all of them are possible."""
        found = {name: check(None, name, getattr(self, name)) for name, check in ADMITS.items()}
        found["observed_rate"] = standardize_rate(self.observed_rate, "micro", self.reduction)
        found["class_weights"] = standardize_weights(self.class_weights, "class_weights")
        return dataclasses.replace(self, missing=standardize_missing(self.missing), **found)

    def head(self, rows: Any, width: int, words: int, ranked: bool) -> _backend.Head:
        """What is made of hidden states and a kernel of a shape."""
        chunk = self.chunk or vocabulary.chunk_of(width, words)
        if isinstance(rows, int):
            chunk = max(1, min(chunk, rows))
        return _backend.Head(chunk, self.label_smoothing, self.z_loss, self.soft_cap, ranked)


@dataclasses.dataclass(frozen=True)
class Tokens:
    """What is known of each token, 0 where it is not observed.

    Attributes:
        losses: Losses, times their weights where the reduction is none.
        surprise: Plain cross-entropies, without a gradient.
        right: 1 where the token is the most likely word, where asked for.
        weight: Weights, 0 where not observed.
    """

    losses: Tensor
    surprise: Tensor
    right: Tensor
    weight: Tensor


@register
def linear_crossentropy(
    y_true: Tensor,
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None = None,
    sample_weight: Tensor | None = None,
    *,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    soft_cap: float | None = None,
    class_weights: Sequence[float] | None = None,
    reduction: Reduction = "sum_over_batch_size",
    observed_rate: float | None = None,
    chunk: int | None = None,
    missing: Missing = CLASS_IDS,
) -> Tensor:
    r"""Returns the cross-entropy of words from hidden states and a kernel, reduced as a loss.

    $$L = \frac{\sum_i o_i w_i \, \ell_i}{\sum_i o_i}, \quad
      \ell_i = \log\sum_v e^{z_{iv}} - z_{i y_i} + \zeta \left(\log\sum_v e^{z_{iv}}\right)^2,
      \quad z_i = x_i W + b$$

    with $o_i$ 1 where token $i$ is observed, else 0, and $w_i$ its weight. It is the cross-entropy
    of the logits, without the logits: a chunk of the observed tokens is taken at a time, and value
    and gradients come of the same pass. Time and memory follow the observed tokens, and whatever
    stands in the hidden states of the others reaches nothing.

    Products are of the dtype of the hidden states, and added up in float32 or better; the gradient
    of a float32 kernel is float32 also where hidden states are of half precision. There is no
    second derivative, and no forward-mode derivative.

    Args:
        y_true: Ids of words `(...)`, some of them missing.
        hidden: Hidden states `(..., width)`, which may carry a Keras mask.
        kernel: Kernel `(width, words)`.
        bias: Bias `(words,)`.
        sample_weight: Weights: a scalar, one per row, or one per token.
        label_smoothing: Float in [0, 1]: how far labels are drawn towards all words alike.
        z_loss: Weight of the squared logarithm of the sum of exponentials.
        soft_cap: Logits are c tanh(z / c); by default as they are.
        class_weights: Weights of the words, one each, that multiply those of tokens.
        reduction: As of losses: `"sum_over_batch_size"`, `"mean"`, `"mean_with_sample_weight"`,
            `"sum"`; with `"none"` one value per token, for whose gradient logits are made twice.
        observed_rate: The expected share of observed tokens, to divide by instead of the count.
        chunk: How many tokens to take at once; by default as many as keep their logits no larger
            than the kernel, or than four million.
        missing: Which ids are missing: a number, `"nan"`, or a tuple of these.

    Raises:
        ValueError: If the shapes do not fit, and on ids outside the vocabulary as far as values are
            at hand; elsewhere the loss is NaN.

    >>> ids, hidden = np.array([1, -100]), np.array([[1.0], [np.nan]], "float32")
    >>> kernel = np.log(np.array([[0.25, 0.75]], "float32"))
    >>> missing = (-100, -1)
    >>> loss = keras_masked.losses.linear_crossentropy(ids, hidden, kernel, missing=missing)
    >>> round(float(loss), 4)  # -log 0.75
    0.2877

    Source: Wijmans et al. 2024, "Cut your losses in large-vocabulary language models".
    """
    options = LinearOptions(
        standardize_missing(missing),
        reduction,
        observed_rate,
        class_weights,
        label_smoothing,
        z_loss,
        soft_cap,
        chunk,
    )
    if keras.config.backend() != "torch" or _backend.eager_torch():  # a graph cannot look
        options = options.checked()
    return linear_values(y_true, hidden, kernel, bias, sample_weight, options)[0]


def linear_values(
    y_true: Tensor,
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    sample_weight: Tensor | None,
    options: LinearOptions,
    ranked: bool = False,
    value_only: bool = False,
) -> tuple[Tensor, Tokens]:
    """The loss, reduced, and what is known of each token, of the shape of the ids.

    Args:
        y_true: Ids.
        hidden: Hidden states.
        kernel: Kernel.
        bias: Bias, or `None`.
        sample_weight: Weights, or `None`.
        options: Options.
        ranked: Whether to tell which tokens are the most likely words.
        value_only: Whether no gradient is expected; if one is asked for, it takes a second pass.
    """
    seen, hidden, kernel, bias = _observe(
        y_true, hidden, kernel, bias, sample_weight, options.missing
    )
    valid, ids = valid_ids(seen.y_true, kernel.shape[-1])
    if options.class_weights is not None:
        like = dataclasses.replace(seen, y_pred=ops.zeros((1, kernel.shape[-1]), seen.y_pred.dtype))
        seen = weigh_classes(like, tuple(options.class_weights), CLASS_ID)
    words, width = kernel.shape[-1], kernel.shape[0]
    flat = ops.reshape(hidden, (-1, width))
    head = options.head(ops.shape(flat)[0], width, words, ranked)
    observed = None if seen.hidden is None else ops.logical_not(seen.hidden())
    kept = None if observed is None else ops.reshape(observed, (-1,))
    tensors = flat, kernel, bias
    row_ids = ops.reshape(ids, (-1,))
    unreduced = options.reduction in (None, "none")
    shares = shares_of(seen, "sum" if unreduced else options.reduction, options.observed_rate)
    found: Sequence[Tensor]
    if unreduced or value_only:
        found = vocabulary.losses_of_tokens(*tensors, row_ids, kept, head)
        loss = ops.reshape(found[0], ops.shape(ids)) * shares
        loss = loss if unreduced else ops.sum(loss)
    else:
        share = ops.reshape(shares, (-1,))
        loss, *found = vocabulary.sum_of_tokens(*tensors, share, row_ids, kept, head)
    # What is outside the vocabulary has been taken for word 0.
    strange = ops.logical_not(valid)
    if observed is not None:
        strange = ops.logical_and(strange, observed)
    known = [_nan_where(strange, ops.reshape(each, ops.shape(ids))) for each in found[:2]]
    loss = _nan_where(strange if unreduced else ops.any(strange), loss)
    right = ops.reshape(found[2], ops.shape(ids))
    tokens = Tokens(*(ops.stop_gradient(each) for each in (*known, right, shares_of(seen, "sum"))))
    if unreduced:
        return with_row_mask(loss, seen.observed, _backend.accumulating(seen.dtype)), tokens
    return _backend.combine(loss), tokens


def _nan_where(strange: Tensor, x: Tensor) -> Tensor:
    return ops.where(strange, ops.full_like(x, float("nan")), x)


def _observe(
    y_true: Tensor,
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    sample_weight: Tensor | None,
    missing: Missing,
) -> tuple[Observation, Tensor, Tensor, Tensor | None]:
    """What is observed of the ids; and hidden states, kernel and bias as tensors."""
    reject_arrays(hidden=hidden, kernel=kernel, bias=bias)
    mask = _backend.get_keras_mask(hidden)
    hidden, kernel = ops.convert_to_tensor(hidden), ops.convert_to_tensor(kernel)
    bias = None if bias is None else ops.convert_to_tensor(bias)
    dtype = keras.backend.standardize_dtype(hidden.dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(f"`hidden` must hold floating-point numbers. Received: dtype {dtype}")
    shape, of_kernel = tuple(hidden.shape), tuple(kernel.shape)
    of_bias = None if bias is None else tuple(bias.shape)
    fits = len(shape) > 1 and len(of_kernel) == 2 and shape[-1] == of_kernel[0]
    if not fits or of_bias not in (None, of_kernel[1:]):
        raise ValueError(
            "`hidden` must have the shape (..., width), `kernel` (width, words) and `bias`, if "
            f"there is one, (words,). Received: hidden.shape={shape}, kernel.shape={of_kernel}, "
            f"bias.shape={of_bias}"
        )
    # Hidden states are not looked at here, and not to be cast as predictions are.
    like = ops.zeros((*ops.shape(hidden)[:-1], 1), dtype=_backend.accumulating(dtype))
    if mask is not None:
        _backend.set_keras_mask(like, mask)
    elif sample_weight is None:
        check_class_ids(y_true, missing, of_kernel[1])
    seen = observe(y_true, like, sample_weight, ANY_ID, missing=missing)
    return seen, hidden, kernel, bias
