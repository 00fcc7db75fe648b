"""Losses and slopes of a chunk of logits on PyTorch, by the formulas of `formulas.vocabulary`.

On a GPU, where passes over memory are what costs, they are compiled into two; elsewhere they are
written over the memory of the logits.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

FUSES: bool | None = None
"""Whether logits go through compiled code; `None`: on GPUs, where passes over memory cost most."""


def of_logits(logits: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    """Losses, cross-entropies and hits of a chunk; and the slopes by the logits, in a dtype.

    The logits are lost. See `in_one_graph`.
    """
    global FUSES
    if logits.is_cuda if FUSES is None else FUSES:
        try:
            found: tuple[Tensor, ...] = compiled()(logits, *rest)
            return found
        except Exception:  # no compiler, or none for this card: the same in more passes
            FUSES = False
    return in_place(logits, *rest)


@functools.cache
def compiled() -> Any:
    """The formulas, compiled where they are first called."""
    return torch.compile(in_one_graph)


def in_one_graph(
    logits: Tensor,
    y: Tensor,
    label_smoothing: float,
    z_loss: float,
    soft_cap: float | None,
    ranked: bool,
    slopes: torch.dtype | None,
) -> tuple[Tensor, ...]:
    """Losses, cross-entropies and hits of a chunk; and the slopes by the logits, in a dtype."""
    if soft_cap is not None:
        logits = soft_cap * torch.tanh(logits / soft_cap)
    own = logits.gather(1, y)
    most = logits.amax(1, keepdim=True)
    powers = (logits - most).exp()
    total = powers.sum(1, keepdim=True)
    size = most + total.log()
    smooth = logits.mean(1, keepdim=True) if label_smoothing else own
    losses = size - own + label_smoothing * (own - smooth) + z_loss * size**2
    right = logits.argmax(1, keepdim=True) == y if ranked else own
    found = [each[:, 0].to(own.dtype) for each in (losses, size - own, right)]
    if slopes is not None:
        word = torch.arange(logits.shape[1], device=logits.device)
        slope = powers * ((1 + 2 * z_loss * size) / total)
        slope = torch.where(word == y, slope - (1 - label_smoothing), slope)
        if label_smoothing:
            slope = slope - label_smoothing / logits.shape[1]
        if soft_cap is not None:
            slope = slope * (1 - (logits / soft_cap) ** 2)
        found.append(slope.to(slopes))
    return tuple(found)


def in_place(
    logits: Tensor,
    y: Tensor,
    label_smoothing: float,
    z_loss: float,
    soft_cap: float | None,
    ranked: bool,
    slopes: torch.dtype | None,
) -> tuple[Tensor, ...]:
    """The same over the memory of the logits, operation by operation."""
    cap = None
    if soft_cap is not None:
        logits.div_(soft_cap).tanh_()
        cap = logits.square() if slopes is not None else None
        logits.mul_(soft_cap)
    own = logits.gather(1, y)
    smooth = logits.mean(1, keepdim=True) if label_smoothing else own
    if ranked:
        most, word = logits.max(1, keepdim=True)
        right = (word == y).to(own.dtype)
    else:
        most, right = logits.amax(1, keepdim=True), own
    powers = logits.sub_(most).exp_()
    total = powers.sum(1, keepdim=True)
    size = most + total.log()
    losses = size - own + label_smoothing * (own - smooth) + z_loss * size**2
    found = [each[:, 0] for each in (losses, size - own, right)]
    if slopes is not None:
        slope = powers.mul_((1 + 2 * z_loss * size) / total)
        slope.scatter_add_(1, y, own.new_full(y.shape, label_smoothing - 1))
        if label_smoothing:
            slope -= label_smoothing / logits.shape[1]
        if cap is not None:
            slope.mul_(cap.neg_().add_(1))
        found.append(slope.to(slopes))
    return tuple(found)
