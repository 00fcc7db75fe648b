"""The case table of losses of rows, sets, windows and stencils."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import keras_masked as km
from tests import field_oracles as oracles

Array = np.ndarray
L = km.losses


@dataclasses.dataclass(frozen=True)
class Field:
    """A loss, its function and oracle, and the data that it takes.

    Attributes:
        slopes: Whether rows are the mean over a last axis of two slopes.
        per_label: Whether weights are those of labels rather than of sets.
    """

    name: str
    function: Callable[..., Any]
    oracle: Callable[..., tuple[Array, Array]]
    shape: tuple[int, ...]
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    data: str = "binary"
    slopes: bool = False
    per_label: bool = False
    label: str = ""

    def __str__(self) -> str:
        return self.name + (f"-{self.label}" if self.label else "")

    @property
    def represents(self) -> str:
        """The first row of a loss takes every grid whole: see `tests/laws.py`."""
        return self.name if self is next(c for c in CASES if c.name == self.name) else ""

    def make(self, **kwargs: Any) -> Any:
        return getattr(L, self.name)(**self.options, **kwargs)

    def draw(self, seed: int = 0, missing: float = 0.15) -> tuple[Array, Array, Array]:
        """Labels, predictions, and which labels are observed: of the second row none."""
        rng = np.random.default_rng(seed)
        y = (rng.random(self.shape) < 0.4).astype("float32")
        p = rng.uniform(0.05, 0.95, self.shape).astype("float32")
        if self.data == "reals":
            y, p = (rng.gamma(1.0, 0.5, self.shape).astype("float32") for _ in range(2))
        if self.data == "logits":
            p = (8 * p - 4).astype("float32")
        o = rng.random(self.shape) >= missing
        if missing:
            o[1] = False
        return y, p, o

    def rows(self, y: Array, p: Array, o: Array) -> tuple[Array, Array]:
        """Values of `reduction=None`, and the losses and what counts behind the mean."""
        losses, counted = self.oracle(y.astype("float64"), p.astype("float64"), o)
        return losses, counted

    def expected(self, y: Array, p: Array, o: Array, reduction: Any = "mean") -> Array:
        losses, counted = self.rows(y, p, o)
        if reduction in ("mean", "sum_over_batch_size", "mean_with_sample_weight"):
            return losses.sum() / max(counted.sum(), 1)
        if self.slopes:
            losses = losses.sum(-1) / np.maximum(counted.sum(-1), 1)
        return losses.sum() if reduction == "sum" else losses


ROWS, IMAGES, FIELDS = (5, 6), (4, 6, 7, 2), (4, 6, 7)


def fss(label: str, shape: tuple[int, ...], data: str = "reals", **options: Any) -> Field:
    oracle = {"window": 3, "threshold": 0.5, "scale": 10.0, **options}
    axis = oracle.pop("axis", None)
    rows = oracles.fractions_skill(**oracle, per_field=axis is not None)
    return Field("FractionsSkillScore", L.fractions_skill_score, rows, shape, options, data,
                 label=label)  # fmt: skip


def csi(label: str, axis: Any = None, data: str = "reals", **options: Any) -> Field:
    one = oracles.critical_success(options.get("threshold"), options.get("scale", 10.0))
    return Field("CriticalSuccessIndex", L.critical_success_index, oracles.of_sets(one, axis),
                 IMAGES, {**options, "axis": axis}, data, label=label)  # fmt: skip


def rmse(label: str, axis: Any, shape: tuple[int, ...]) -> Field:
    rows = oracles.of_sets(oracles.root_mean_squared_error, axis)
    return Field("RootMeanSquaredError", L.root_mean_squared_error, rows, shape, {"axis": axis},
                 "reals", per_label=True, label=label)  # fmt: skip


def focal(label: str, data: str = "binary", **options: Any) -> Field:
    one = oracles.focal_sum(
        options.get("alpha", 0.25), options.get("gamma", 2.0), options.get("from_logits", False)
    )
    return Field("SigmoidFocalCrossEntropy", L.sigmoid_focal_crossentropy, oracles.of_sets(one, -1),
                 ROWS, options, data, per_label=True, label=label)  # fmt: skip


def jaccard(label: str, axis: Any) -> Field:
    rows = oracles.of_sets(oracles.jaccard, axis)
    return Field("Jaccard", L.jaccard, rows, IMAGES, {"axis": axis}, label=label)


SOBEL = {"slopes": True, "data": "reals"}
CASES = [
    rmse("batch", None, ROWS),
    rmse("rows", -1, ROWS),
    rmse("images", (1, 2, 3), IMAGES),
    focal(""),
    focal("logits", "logits", from_logits=True),
    focal("plain", alpha=None, gamma=0.0),
    focal("half", alpha=0.6, gamma=0.5),
    jaccard("batch", None),
    jaccard("classes", (1, 2)),
    csi("probabilities", data="binary"),
    csi("threshold", threshold=0.4, scale=6.0),
    csi("images", axis=(1, 2, 3), threshold=0.4),
    fss("", FIELDS),
    fss("probabilities", FIELDS, "binary", threshold=None),
    fss("channels", IMAGES, window=4, scale=5.0),
    fss("images", IMAGES, window=2, axis=(1, 2, 3)),
    fss("same", FIELDS, window=3, padding="same"),
    fss("same, even", FIELDS, window=4, padding="same", axis=(1, 2)),
    fss("pixels", FIELDS, window=1),
    Field("SobelMSE", L.sobel_mse, oracles.sobel, (4, 8, 9), **SOBEL),
    Field("SobelMSE", L.sobel_mse, oracles.sobel, (3, 5, 8, 2), label="channels", **SOBEL),
]
EACH = pytest.mark.parametrize("case", CASES, ids=str)


def marked(y: Array, o: Array, marker: float = np.nan) -> Array:
    """Labels with `marker` where they are not observed."""
    return np.where(o, y, np.float32(marker))


def case(name: str) -> Field:
    """The case of this name."""
    return next(each for each in CASES if str(each) == name)
