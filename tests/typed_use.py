"""What users write, for `mypy --strict` to look at: `nox -s types`. Nothing here is run.

Each `type: ignore` is an error that mypy must find: strict mypy complains where it finds none.
"""

from __future__ import annotations

import numpy as np

import keras_masked as km

loss = km.losses.MeanSquaredError(missing=-9999.0, average="macro")
several = km.losses.Huber(delta=2.0, missing=(-9999.0, "nan"), reduction="sum")
weighed = km.losses.BinaryCrossentropy(class_weights=[1.0, 5.0], label_weights=[1.0, 2.0])
rows = km.losses.MeanAbsoluteError(reduction=None)
area = km.metrics.AUC(curve="PR", missing=-1)
score = km.metrics.F1Score(average="macro")
each = km.metrics.PerLabel(km.metrics.R2Score(), labels=["a", "b"], log="macro")
likelihood = km.losses.NegativeLogLikelihood(km.distributions.StudentT())
lifted = km.masked(["mae", "mse"], missing=-1)
description = km.describe_labels(np.ones((2, 2)), labels=["a", "b"])
warnings: list[str] = description.warnings
rate = km.observed_rate(np.ones((2, 2)))

km.losses.Huber(average="makro")  # type: ignore[arg-type]
km.losses.MeanSquaredError(reduction="average")  # type: ignore[arg-type]
km.losses.Huber(mising=-1)  # type: ignore[call-arg]
km.metrics.AUC(curve="roc_curve")  # type: ignore[arg-type]
km.metrics.F1Score(average="samples")  # type: ignore[arg-type]
km.metrics.PerLabel(km.metrics.R2Score(), labels=["a"], log="none")  # type: ignore[arg-type]
