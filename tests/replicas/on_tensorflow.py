"""`tf.distribute.MirroredStrategy` over two logical devices of this process."""

import tensorflow as tf

from tests.replicas.common import means_of_means, report, table, train

BATCH, REPLICAS = 4, 2
TRAIN, TEST = table(11, 2, seed=1), table(9, 2, seed=2)  # last batches of 2 + 1 and of 1 + 0 rows

[cpu] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(REPLICAS)]
)
one = train(TRAIN, TEST, BATCH)

strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(REPLICAS)])
assert strategy.num_replicas_in_sync == REPLICAS
many = train(TRAIN, TEST, BATCH, strategy.scope)
with means_of_means(REPLICAS):
    means = train(TRAIN, TEST, BATCH, strategy.scope, groups=["unweighted"])
report(one=one, many=many, means=means)
