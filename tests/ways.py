"""The ways on which labels reach a loss and a metric."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tests.backend import BACKEND, tensor, to_numpy


def ways(loss: Any, metric: Any, y: np.ndarray, p: np.ndarray) -> dict[str, tuple[float, float]]:
    """Values of a loss and a metric, called directly and by all that Keras's trainer takes."""
    metric.reset_state()
    metric.update_state(y, p)
    found = {"arrays, direct": (loss(y, p), metric.result())}
    metric.reset_state()
    metric.update_state(tensor(y), tensor(p))
    found["tensors, direct"] = (loss(tensor(y), tensor(p)), metric.result())
    metric.reset_state()

    last = keras.layers.Dense(p.shape[-1], use_bias=False, kernel_initializer="identity")
    model = keras.Sequential([keras.Input(p.shape[1:]), last])
    model.compile(keras.optimizers.SGD(0.0), loss, metrics=[metric])
    batch = {"batch_size": len(y), "verbose": 0}
    found["train_on_batch"] = model.train_on_batch(p, y, return_dict=True)
    found["fit"] = _last(model.fit(p, y, **batch))
    found["evaluate"] = model.evaluate(p, y, return_dict=True, **batch)
    generator = ((x, labels) for x, labels in [(p, y)])
    found["generator"] = _last(model.fit(generator, steps_per_epoch=1, shuffle=False, verbose=0))
    if BACKEND == "tensorflow":
        import tensorflow as tf

        data = tf.data.Dataset.from_tensor_slices((p, y)).batch(len(y))
        found["tf.data"] = _last(model.fit(data, shuffle=False, verbose=0))
    elif BACKEND == "torch":
        import torch

        dataset = torch.utils.data.TensorDataset(torch.tensor(p), torch.tensor(y))
        loader = torch.utils.data.DataLoader(dataset, batch_size=len(y))
        found["DataLoader"] = _last(model.fit(loader, shuffle=False, verbose=0))
    return {way: _pair(pair, metric.name) for way, pair in found.items()}


def _last(history: Any) -> dict[str, float]:
    return {key: values[-1] for key, values in history.history.items()}


def _pair(found: Any, name: str) -> tuple[float, float]:
    if isinstance(found, dict):
        found = (found["loss"], found[name])
    return float(to_numpy(found[0])), float(to_numpy(found[1]))
