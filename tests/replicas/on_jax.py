"""`keras.distribution.DataParallel` over the devices of this process."""

import jax
import keras

from tests.replicas.common import report, table, train

BATCH, DEVICES = 8, 4
TRAIN, TEST = table(20, 2, seed=1), table(12, 2, seed=2)  # last batches of 4: devices must divide

assert jax.device_count() == DEVICES
one = train(TRAIN, TEST, BATCH)

distribution = keras.distribution.DataParallel(devices=keras.distribution.list_devices())
with distribution.scope():
    probe = keras.layers.Dense(1)
    probe.build((None, 1))
    assert len(probe.kernel.value.sharding.device_set) == DEVICES
    many = train(TRAIN, TEST, BATCH)
report(one=one, many=many)
