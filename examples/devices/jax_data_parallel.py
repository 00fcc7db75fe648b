"""The loss of one device, on four: JAX and `keras.distribution.DataParallel`.

    python examples/devices/jax_data_parallel.py

Pretends that the processor is four devices; without the line that sets XLA_FLAGS, it runs on the
accelerators that there are. See "On more than one device" in the documentation.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import keras
import numpy as np

import keras_masked as km


def train(x, y):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
    model.compile(keras.optimizers.SGD(0.05), km.losses.MeanSquaredError())
    model.fit(x, y, batch_size=16, epochs=5, shuffle=False, verbose=0)
    return model.evaluate(x, y, batch_size=16, verbose=0)


rng = np.random.default_rng(0)
x, y = rng.normal(size=(64, 8)), rng.normal(size=(64, 3))
y[rng.random(y.shape) < np.linspace(0, 0.9, 64)[:, None]] = np.nan  # ever more are missing

one = train(x, y)
devices = keras.distribution.list_devices()
with keras.distribution.DataParallel(devices=devices).scope():
    several = train(x, y)

print(f"one device  {one:.6f}\n{len(devices)} devices   {several:.6f}")
np.testing.assert_allclose(several, one, rtol=1e-5)
