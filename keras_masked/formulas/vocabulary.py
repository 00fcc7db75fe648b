r"""Cross-entropy from hidden states and a kernel, a chunk of the observed tokens at a time.

With $z = x W + b$ the logits of a token, $y$ its word, $m$ the number of words:

$$\ell = \log\sum_v e^{z_v} - (1 - \epsilon) z_y - \frac{\epsilon}{m} \sum_v z_v
       + \zeta \left(\log\sum_v e^{z_v}\right)^2$$

The logits of all tokens are never there. Observed tokens are brought to the front, and a loop that
takes as many turns as they need makes, of one chunk of them after the other, logits, losses and
slopes, and adds what these give to the gradients of hidden states, kernel and bias. So value and
gradients come of one pass and three products of matrices, and the backward pass only multiplies.
No engine could differentiate such a loop; none has to (`_backend.vocabulary`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_masked import _backend

Tensor = Any

LEAST = 2**22
"""Up to so many logits are there at once, or as many as the kernel has numbers if these are more.

Smaller chunks would save nothing beside the kernel's gradient, and keep the cores waiting.
"""


def chunk_of(width: int, words: int) -> int:
    """How many tokens to take at once: a power of two."""
    fits = max(width, LEAST // words, 1)
    return int(2 ** (fits.bit_length() - 1))


def sum_of_tokens(
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    shares: Tensor,
    ids: Tensor,
    observed: Tensor | None,
    head: _backend.Head,
) -> Any:
    """The sum of the losses of tokens, each times its share; then what `run` says of tokens.

    Args:
        hidden: Hidden states `(tokens, width)`, whatever they are where not observed.
        kernel: `(width, words)`.
        bias: `(words,)`, or `None`.
        shares: What each loss is multiplied by, 0 where not observed.
        ids: Words, all of them in range.
        observed: Which tokens are observed, or `None` for all.
        head: What is made of hidden states and kernel.
    """
    return _backend.sum_in_one_pass(run, hidden, kernel, bias, shares, ids, observed, head)


def losses_of_tokens(
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    ids: Tensor,
    observed: Tensor | None,
    head: _backend.Head,
) -> Any:
    """What `run` says of tokens. The gradient of the losses makes the logits once more."""
    return _backend.losses_in_two_passes(run, hidden, kernel, bias, ids, observed, head)


def run(
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    shares: Tensor | None,
    ids: Tensor,
    observed: Tensor | None,
    head: _backend.Head,
) -> tuple[list[Tensor], list[Tensor]]:
    """The pass, for engines that compile loops.

    Returns:
        Of each token, 0 where not observed: the loss, the plain cross-entropy and whether it is the
        most likely word, if the head is `ranked`. Then, if there are `shares`, the gradients of
        the sum of the losses, each times its share, by hidden states, kernel and bias.
    """
    rows, width = ops.shape(hidden)
    words = kernel.shape[-1]
    dtype = keras.backend.standardize_dtype(hidden.dtype)
    wide = _backend.accumulating(dtype)
    size = head.chunk
    order, place, count = _observed_first(observed, rows)
    chunks = (rows + size - 1) // size
    order = ops.concatenate([order, ops.zeros((chunks * size - rows,), "int32")])
    operand = ops.cast(kernel, dtype)
    position = ops.arange(size, dtype="int32")

    def turn(i: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        start = i * size
        here = position + start < count
        index = ops.slice(order, (start,), (size,))

        def taken(x: Tensor) -> Tensor:
            return _where(here, ops.take(x, index, axis=0))

        x = taken(hidden)
        logits = _backend.product(x, operand)
        if bias is not None:
            logits = logits + ops.cast(bias, wide)
        found, slopes = of_logits(logits, taken(ids), head)
        tokens = [
            ops.slice_update(each, (start,), _where(here, new))
            for each, new in zip(state, found, strict=False)
        ]
        if shares is None:
            return (i + 1, *tokens)
        of_hidden, of_kernel, *of_bias = state[len(tokens) :]
        share = taken(shares)[:, None]
        slope = slopes()
        half = ops.cast(slope, dtype)
        back = _where(here, _backend.product(half, ops.transpose(operand)) * share)
        weighted = ops.cast(ops.cast(x, wide) * share, dtype)
        return (
            i + 1,
            *tokens,
            ops.slice_update(of_hidden, (start, 0), ops.cast(back, of_hidden.dtype)),
            of_kernel + _backend.product(ops.transpose(weighted), half),
            *(each + ops.sum(slope * share, axis=0) for each in of_bias),
        )

    state = [ops.zeros((chunks * size,), wide)] * (3 if head.ranked else 2)
    kinds = len(state)
    if shares is not None:
        state.append(ops.zeros((chunks * size, width), _backend.waiting(dtype)))
        state.append(ops.zeros((width, words), wide))
        state += [] if bias is None else [ops.zeros((words,), wide)]
    turns = (count + size - 1) // size
    _, *state = ops.while_loop(lambda i, *_: i < turns, turn, (ops.zeros((), "int32"), *state))
    ordered = [ops.take(each, place, axis=0) for each in state[: kinds + 1]]
    tokens = ordered[:kinds] if head.ranked else [*ordered[:kinds], ops.zeros_like(ordered[0])]
    return tokens, [*ordered[kinds:], *state[kinds + 1 :]]


def _observed_first(observed: Tensor | None, rows: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The indices of all rows, observed ones first; where each row is then; how many there are."""
    every = ops.arange(rows, dtype="int32")
    if observed is None:
        return every, every, ops.convert_to_tensor(rows, dtype="int32")
    counted = ops.cumsum(ops.cast(observed, "int32"))
    count = ops.sum(ops.cast(observed, "int32"))
    place = ops.where(observed, counted - 1, count + every - counted)
    return ops.scatter(place[:, None], every, (rows,)), place, count


def _where(here: Tensor, x: Tensor) -> Tensor:
    """Rows as they are where they are observed, else 0."""
    here = ops.reshape(here, (-1, *[1] * (len(x.shape) - 1)))
    return ops.where(here, x, ops.zeros((), x.dtype))


def of_logits(
    logits: Tensor, ids: Tensor, head: _backend.Head
) -> tuple[list[Tensor], Callable[[], Tensor]]:
    """Losses, cross-entropies and hits of a chunk; and the slopes by the logits, if asked for."""
    cap, smoothing, words = head.soft_cap, head.label_smoothing, logits.shape[-1]
    if cap is not None:
        logits = cap * ops.tanh(logits / cap)
    most = ops.max(logits, axis=-1, keepdims=True)
    powers = ops.exp(logits - most)
    total = ops.sum(powers, axis=-1, keepdims=True)
    size = (most + ops.log(total))[:, 0]
    own = ops.take_along_axis(logits, ids[:, None], axis=-1)
    surprise = size - own[:, 0]
    losses = surprise
    if smoothing:
        losses = losses + smoothing * (own[:, 0] - ops.mean(logits, axis=-1))
    if head.z_loss:
        losses = losses + head.z_loss * ops.square(size)
    found = [losses, surprise]
    word = ops.arange(words, dtype="int32")
    if head.ranked:
        before = ops.logical_and(logits == own, word < ids[:, None])
        ahead = ops.any(ops.logical_or(before, logits > own), axis=-1)
        # A NaN is ahead of nothing.
        right = ops.logical_and(ops.logical_not(ahead), ops.isfinite(surprise))
        found.append(ops.cast(right, logits.dtype))

    def slopes() -> Tensor:
        scale = 1.0 / total
        if head.z_loss:
            scale = scale * (1.0 + 2.0 * head.z_loss * size[:, None])
        slope = powers * scale
        slope = ops.where(word == ids[:, None], slope - (1.0 - smoothing), slope)
        if smoothing:
            slope = slope - smoothing / words
        return slope if cap is None else slope * (1.0 - ops.square(logits / cap))

    return found, slopes
