"""The losses that are timed, and labels and predictions that suit each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True)
class Subject:
    """A loss under the name that Keras and keras_masked share.

    Attributes:
        name: Name of the class.
        kind: What labels and predictions are, see `data`.
        options: Keyword arguments.
        usual: Whether it is among those timed by default.
    """

    name: str
    kind: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    usual: bool = False

    @property
    def title(self) -> str:
        """The name for tables."""
        return self.name + (" (logits)" if self.options.get("from_logits") else "")

    def build(self, module: Any) -> Callable[..., Any]:
        """The loss of `keras.losses` or `keras_masked.losses`."""
        return getattr(module, self.name)(**self.options)


LOGITS = {"from_logits": True}
SUBJECTS = (
    Subject("MeanSquaredError", "real", usual=True),
    Subject("MeanAbsoluteError", "real", usual=True),
    Subject("Huber", "real", usual=True),
    Subject("BinaryCrossentropy", "binary", usual=True),
    Subject("BinaryCrossentropy", "binary logits", LOGITS, usual=True),
    Subject("CategoricalCrossentropy", "one-hot", usual=True),
    Subject("CategoricalCrossentropy", "one-hot logits", LOGITS, usual=True),
    Subject("SparseCategoricalCrossentropy", "ids", usual=True),
    Subject("SparseCategoricalCrossentropy", "ids logits", LOGITS, usual=True),
    Subject("LogCosh", "real"),
    Subject("MeanAbsolutePercentageError", "positive"),
    Subject("MeanSquaredLogarithmicError", "positive"),
    Subject("Poisson", "positive"),
    Subject("CosineSimilarity", "real"),
    Subject("KLDivergence", "one-hot"),
    Subject("Hinge", "binary logits"),
    Subject("SquaredHinge", "binary logits"),
    Subject("CategoricalHinge", "one-hot"),
    Subject("BinaryFocalCrossentropy", "binary"),
    Subject("CategoricalFocalCrossentropy", "one-hot"),
    Subject("CategoricalGeneralizedCrossEntropy", "ids"),
    Subject("Dice", "binary"),
    Subject("Tversky", "binary"),
)
"""All losses but CTC and Circle, whose labels have shapes of their own."""

DRAWN = tuple(
    Subject("BayesianCategoricalCrossentropy", "one-hot drawn", {"loop_over_draws": loop})
    for loop in (False, True)
)
"""Losses that are means over draws: all at once, and one by one."""

NINE = [k / 10 for k in range(1, 10)]


def _mixture(components: int) -> dict[str, Any]:
    return {
        "distribution": {
            "class_name": "Mixture",
            "config": {"distribution": "gaussian", "components": components},
        }
    }


PREDICTED = {
    "NLL, Gaussian": Subject("NegativeLogLikelihood", "parameters 2"),
    "CRPS, Gaussian": Subject("ContinuousRankedProbabilityScore", "parameters 2"),
    "pinball, 9 levels": Subject("PinballLoss", "parameters 9", {"quantiles": NINE}),
    "CRPS, 9 members": Subject("EnsembleCRPS", "parameters 9"),
    **{
        f"NLL, mixture of {n}": Subject("NegativeLogLikelihood", f"parameters {3 * n}", _mixture(n))
        for n in (1, 2, 4, 8)
    },
}
"""Losses of predicted distributions, by what they are called in tables."""

BARRED = ("MeanSquaredError", "MeanAbsoluteError", "Huber", "BinaryCrossentropy")
"""The losses that a speed bar is set for."""


def choose(names: list[str], *modules: Any) -> list[Subject]:
    """The subjects of these names ("usual" and "all" are names too) that all modules have."""
    known = {subject.name.lower() for subject in SUBJECTS} | {"all", "usual"}
    if unknown := {name for name in names if name.lower() not in known}:
        raise SystemExit(f"Unknown losses: {', '.join(sorted(unknown))}. Known: {sorted(known)}")
    wanted = {name.lower() for name in names}
    return [
        subject
        for subject in SUBJECTS
        if ({"all", subject.name.lower()} & wanted or ("usual" in wanted and subject.usual))
        and all(hasattr(module, subject.name) for module in modules)
    ]


def data(kind: str, shape: tuple[int, ...], seed: int = 0) -> tuple[Array, Array]:
    """Complete labels and predictions; the last axis of `shape` holds labels or classes."""
    random = np.random.default_rng(seed)
    p = random.normal(size=shape)
    what, _, logits = kind.partition(" ")
    match what:
        case "real":
            y = random.normal(size=shape)
        case "positive":
            y, p = random.uniform(0.5, 2.0, size=shape), np.exp(p)
        case "binary":
            y = random.integers(0, 2, size=shape)
            p = p if logits else 1.0 / (1.0 + np.exp(-p))
        case "parameters":
            y, p = random.normal(size=shape), random.normal(size=(*shape, int(logits)))
        case "one-hot" | "ids":
            y = random.integers(0, shape[-1], size=shape[:-1])
            if what == "one-hot":
                y = (np.arange(shape[-1]) == y[..., None]).astype("float32")
            if logits == "drawn":  # means and log-variances
                p = np.stack([p, random.normal(size=shape)], axis=-1)
            elif not logits:
                p = np.exp(p) / np.exp(p).sum(axis=-1, keepdims=True)
        case _:
            raise ValueError(f"No such kind of data: {kind}")
    return y.astype("int32" if what == "ids" else "float32"), p.astype("float32")


def hide(y: Array, kind: str, fraction: float, seed: int = 1) -> Array:
    """The labels with a random fraction of them marked missing: NaN, or -1 among class ids."""
    vector = kind.startswith("one-hot")
    absent = np.random.default_rng(seed).random(y.shape[:-1] if vector else y.shape) < fraction
    absent = absent[..., None] if vector else absent
    return np.where(absent, -1 if kind.startswith("ids") else np.nan, y).astype(y.dtype)
