r"""Means of functions of the cross-entropy over draws of the logits, the same ones or fresh.

A draw of logits with means m and log-variances s is m + exp(s / 2) eps. The eps are those of T
nodes that fill the unit cube evenly, one coordinate per class: coordinate j of node t is the rank
among the T of the fractional part of t / phi^j + 1/2, with phi^(d + 1) = phi + 1 in d dimensions,
at most 6. So each coordinate alone has exactly one node in each T-th of (0, 1). Of more dimensions,
each block of 6 has the same nodes in another order, for T nodes have no more than so many
coordinates of this kind that are not alike. The nodes are the same at every step, in every row and
on every backend.

Fresh numbers are the same nodes, each label's shifted around the cube by a random vector of its
own: then each node is uniform, and the estimate unbiased.

Source: Roberts 2018, "The unreasonable effectiveness of quasirandom sequences", for the sequence;
Owen 1998, "Latin supercube sampling for very high-dimensional simulations", for the blocks; Cranley
and Patterson 1976 for the shift.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_masked import _backend
from keras_masked.formulas.crossentropy import binary_crossentropy

Tensor = Any

BLOCK = 6
"""So many coordinates have nodes that fill their cube evenly."""
GOLDEN = 0.6180339887498949
EDGE = 2.0**-24
"""What keeps a shifted node away from 0 and 1, where the normal quantile is infinite."""


@dataclasses.dataclass(frozen=True)
class Transform:
    """A function of C - C_t, with its slope: what of each draw the mean is taken of."""

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]


@dataclasses.dataclass(frozen=True)
class Crossentropy:
    """Cross-entropies of logits: `loss(y, logits)`, one per label.

    `slopes(y, logits, upstream)` has its derivatives by labels and by logits.
    """

    loss: Callable[[Tensor, Tensor], Tensor]
    slopes: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def _of_classes(y_true: Tensor, logits: Tensor) -> Tensor:
    # Keras's wants labels and logits of one shape.
    return -ops.sum(y_true * ops.log_softmax(logits, axis=-1), axis=-1)


def _slopes_of_classes(y_true: Tensor, logits: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor]:
    log_p, upstream = ops.log_softmax(logits, axis=-1), upstream[..., None]
    labels = ops.sum(y_true, axis=-1, keepdims=True)
    return -upstream * log_p, upstream * (labels * ops.exp(log_p) - y_true)


def _of_binary(y_true: Tensor, logits: Tensor) -> Tensor:
    return binary_crossentropy.call(y_true, logits, from_logits=True)


def _slopes_of_binary(y_true: Tensor, logits: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor]:
    return -upstream * logits, upstream * (ops.sigmoid(logits) - y_true)


CLASSES = Crossentropy(_of_classes, _slopes_of_classes)
"""Of one label per vector of logits."""
BINARY = Crossentropy(_of_binary, _slopes_of_binary)
"""Of one label per logit."""


def mean_over_draws(
    form: Transform,
    kind: Crossentropy,
    y_true: Tensor,
    parameters: Tensor,
    reference: Tensor | None = None,
    *,
    draws: int = 25,
    loop_over_draws: bool = False,
    shift: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean over draws of a function of C - C_t, one per label, and C.

    Args:
        form: The function.
        kind: Of which labels.
        y_true: One-hot labels `(..., classes)` or binary ones `(..., labels)`.
        parameters: Means and log-variances of the logits, of the shape of `y_true` and 2.
        reference: C, one number per label; by default the least C_t, as if it were a constant.
        draws: How many draws.
        loop_over_draws: Whether to look at one draw at a time: the memory is that of one, not of
            all. `torch.func` has no rule for that: there they come all at once.
        shift: For fresh numbers, what is added to the nodes in the unit cube, of the shape of
            `y_true`.
    """
    y_true = ops.cast(y_true, parameters.dtype)
    mean, deviation = parameters[..., 0], ops.exp(0.5 * parameters[..., 1])
    dimensions = mean.shape[-1] if kind is CLASSES else 1
    nodes = unit_nodes(draws, dimensions, mean.dtype)
    if loop_over_draws and not _backend.torch_func():
        if reference is None:
            reference = _least(kind, y_true, mean, deviation, nodes, shift)
        return _loop(form, kind, y_true, mean, deviation, reference, nodes, shift), reference
    nodes = ops.reshape(nodes, (draws, *(1,) * (len(mean.shape) - 1), nodes.shape[-1]))
    drawn = kind.loss(y_true, mean + deviation * _normal(nodes, shift))
    if reference is None:
        reference = ops.stop_gradient(-_backend.amax(-drawn, axis=0))
    return _backend.mean(form.value(reference - drawn), axis=0), reference


def _normal(nodes: Tensor, shift: Tensor | None) -> Tensor:
    """Nodes in the unit cube, shifted around it, as normal numbers."""
    if shift is not None:
        nodes = nodes + ops.cast(shift, nodes.dtype)
        nodes = _backend.clip(nodes - _backend.floor(nodes), EDGE, 1.0 - EDGE)
    return math.sqrt(2.0) * ops.erfinv(2.0 * nodes - 1.0)


def _least(
    kind: Crossentropy,
    y_true: Tensor,
    mean: Tensor,
    deviation: Tensor,
    nodes: Tensor,
    shift: Tensor | None,
) -> Tensor:
    y_true, mean, deviation = (ops.stop_gradient(x) for x in (y_true, mean, deviation))

    def keep(t: Any, found: Tensor) -> Tensor:
        return _backend.minimum(
            found, kind.loss(y_true, mean + deviation * _normal(nodes[t], shift))
        )

    first = kind.loss(y_true, mean + deviation * _normal(nodes[0], shift))
    # Stopped behind the loop, too: else TensorFlow differentiates it, to stop only then.
    return ops.stop_gradient(ops.fori_loop(1, nodes.shape[0], keep, first))


def _loop(
    form: Transform,
    kind: Crossentropy,
    y_true: Tensor,
    mean: Tensor,
    deviation: Tensor,
    reference: Tensor,
    nodes: Tensor,
    shift: Tensor | None,
) -> Tensor:
    """One draw after the other; the gradient computes each again, rather than keep all of them.

    Differentiating the loop would keep them, and `keras.remat` bounds the memory of some backends
    only.
    """
    draws = nodes.shape[0]
    if keras.config.backend() == "jax":
        # There `remat` does bound it, and gives every derivative; a custom gradient would refuse
        # forward mode, and tracers that it closes over.
        @keras.remat
        def value(t: Any, *given: Tensor) -> Tensor:
            y_true, mean, deviation, reference = given
            drawn = kind.loss(y_true, mean + deviation * _normal(nodes[t], shift))
            return form.value(reference - drawn)

        def step(total: Tensor, t: Any) -> tuple[Tensor, None]:
            return total + value(t, y_true, mean, deviation, reference), None

        total, _ = ops.scan(step, ops.zeros_like(reference), ops.arange(draws, dtype="int32"))
        return total / draws

    def values(y_true: Tensor, mean: Tensor, deviation: Tensor, reference: Tensor) -> Any:
        def add_value(t: Any, total: Tensor) -> Tensor:
            drawn = kind.loss(y_true, mean + deviation * _normal(nodes[t], shift))
            return total + form.value(reference - drawn)

        def gradient(*args: Tensor, upstream: Tensor | None = None) -> Any:
            given = args[0] if upstream is None else upstream

            def add_slopes(t: Any, sums: Any) -> Any:
                eps = _normal(nodes[t], shift)
                logits = mean + deviation * eps
                of_reference = given * form.slope(reference - kind.loss(y_true, logits))
                of_labels, of_logits = kind.slopes(y_true, logits, -of_reference)
                found = of_labels, of_logits, of_logits * eps, of_reference
                return tuple(a + b for a, b in zip(sums, found, strict=True))

            zeros = tuple(ops.zeros_like(x) for x in (y_true, mean, deviation, reference))
            return tuple(x / draws for x in ops.fori_loop(0, draws, add_slopes, zeros))

        total = ops.fori_loop(0, draws, add_value, ops.zeros_like(reference))
        return total / draws, gradient

    return ops.custom_gradient(values)(y_true, mean, deviation, reference)


def check_logits(y_pred: Tensor) -> None:
    """Raises where the last axis does not hold means and log-variances."""
    shape = tuple(y_pred.shape if hasattr(y_pred, "shape") else np.shape(y_pred))
    if len(shape) < 2 or shape[-1] not in (2, None):
        raise ValueError(
            "The last axis of `y_pred` must hold means and log-variances of the logits. "
            f"Received: y_pred.shape={shape}"
        )


def unit_nodes(draws: int, dimensions: int, dtype: Any = "float32") -> Tensor:
    """The nodes in the unit cube, `(draws, dimensions)`."""
    size = min(dimensions, BLOCK)
    phi = 2.0
    for _ in range(64):
        phi = (1.0 + phi) ** (1.0 / (size + 1))
    steps = [_wrapped(phi**-j) for j in range(1, size + 1)]
    blocks = -(-dimensions // BLOCK)
    t = ops.arange(1, draws + 1, dtype="int32")[:, None]
    if blocks > 1:
        turns = [_wrapped(GOLDEN * block) for block in range(1, blocks)]
        shuffled = t * t * ops.convert_to_tensor(turns, dtype="int32")
        t = ops.repeat(_ranks(ops.concatenate([t, shuffled], axis=1)) + 1, BLOCK, axis=1)
        t, steps = t[:, :dimensions], (steps * blocks)[:dimensions]
    ranks = _ranks(t * ops.convert_to_tensor(steps, dtype="int32"))
    return (ops.cast(ranks, dtype) + 0.5) / draws


def _wrapped(fraction: float) -> int:
    """The fractional part as a 32-bit integer, in which multiples wrap around.

    So no rounding ranks two nodes otherwise under another compiler. Odd, so that no multiples are
    equal.
    """
    whole = int(2**32 * (fraction % 1.0)) | 1
    return whole - 2**32 if whole >= 2**31 else whole


def _ranks(keys: Tensor) -> Tensor:
    """Which is the least, the second, ... along the first axis."""
    return ops.cast(ops.argsort(ops.argsort(keys, axis=0), axis=0), "int32")
