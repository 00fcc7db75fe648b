"""Cross-entropy from hidden states in float64 NumPy, of tokens none of which is missing."""

from __future__ import annotations

from typing import Any

import numpy as np


def dense(
    ids: Any,
    hidden: Any,
    kernel: Any,
    bias: Any = None,
    weight: Any = None,
    smoothing: float = 0.0,
    z_loss: float = 0.0,
    cap: float | None = None,
) -> tuple[np.ndarray, Any]:
    """Losses of tokens none of which is missing; and gradients of their weighted sum."""
    ids = np.asarray(ids)
    hidden, kernel = np.asarray(hidden, "float64"), np.asarray(kernel, "float64")
    words = kernel.shape[1]
    weight = np.ones(len(ids)) if weight is None else np.asarray(weight, "float64")
    raw = hidden @ kernel + (0 if bias is None else np.asarray(bias, "float64"))
    logits = raw if cap is None else cap * np.tanh(raw / cap)
    size = np.log(np.sum(np.exp(logits - logits.max(-1, keepdims=True)), -1)) + logits.max(-1)
    target = np.eye(words)[ids] * (1 - smoothing) + smoothing / words
    losses = size - (target * logits).sum(-1) + z_loss * size**2
    slope = np.exp(logits - size[:, None]) * (1 + 2 * z_loss * size)[:, None] - target
    if cap is not None:
        slope *= 1 - (logits / cap) ** 2
    slope *= weight[:, None]
    return losses, (slope @ kernel.T, hidden.T @ slope, slope.sum(0))
