"""Rows of losses of binary labels, classes and ordinal classes that Keras does not have."""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_masked as km
from tests import class_oracles, oracles, plain
from tests.case_data import binary, binary_logits, class_ids, class_ids_logits, one_hot
from tests.cases.case import IDS, VECTOR, Case, with_options

Array = np.ndarray


def grades(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Ids of four classes, and logits of the three thresholds between them."""
    return rng.integers(0, 4, shape).astype("float64"), 2 * rng.normal(size=(*shape, 3))


def losses() -> list[Case]:
    o = class_oracles

    def row(
        name: str,
        data: Any,
        oracle: Any,
        theirs: Any,
        label: str = "",
        options: Any = (),
        **kw: Any,
    ) -> Case:
        make = with_options(getattr(km.losses, name), **dict(options))
        rows = plain.of_rows if kw.get("label_axes") else plain.of_labels
        return Case(name, make, data, oracle, rows(theirs), label, **kw)

    mild = {"gamma_negative": 2.0, "gamma_positive": 0.0, "margin": 0.0}
    logits = {"from_logits": True}
    return [
        row("AsymmetricLoss", binary, o.asymmetric(4, 1, 0.05), o.plain_asymmetric(4, 1, 0.05)),
        row("AsymmetricLoss", binary, o.asymmetric(2, 0, 0), o.plain_asymmetric(2, 0, 0), "mild",
            mild),
        row("AsymmetricLoss", binary_logits, o.asymmetric_of_logits(4, 1, 0.05),
            o.plain_asymmetric(4, 1, 0.05, logits=True), "logits", logits),
        row("SymmetricCrossentropy", one_hot, o.symmetric(0.1, 1.0), o.plain_symmetric(0.1, 1.0),
            **VECTOR),
        row("SymmetricCrossentropy", class_ids, o.symmetric_of_ids(0.5, 2.0),
            o.plain_symmetric(0.5, 2.0, ids=True), "ids", {"alpha": 0.5, "beta": 2.0}, **IDS),
        row("OrdinalCrossentropy", grades, o.cumulative, o.plain_ordinal(False), **IDS),
        row("OrdinalCrossentropy", grades, o.corn, o.plain_ordinal(True), "corn",
            {"mode": "corn"}, **IDS),
        row("SparseCategoricalCrossentropy", class_ids,
            o.smoothed(oracles.sparse_crossentropy, 0.2), o.plain_smoothed(0.2), "smooth",
            {"label_smoothing": 0.2}, **IDS),
        row("SparseCategoricalCrossentropy", class_ids_logits,
            o.smoothed(oracles.sparse_crossentropy_of_logits, 0.2),
            o.plain_smoothed(0.2, logits=True), "smooth logits",
            {"label_smoothing": 0.2, **logits}, **IDS),
    ]  # fmt: skip
