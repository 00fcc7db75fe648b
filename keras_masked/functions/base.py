"""Where functions are registered: a loss keeps its package when it serves as a metric."""

from keras_masked import serialization

register_loss = serialization.register("keras_masked.losses")
register_metric = serialization.register("keras_masked.metrics")
