"""Where layers are registered."""

from keras_masked import serialization

register = serialization.register("keras_masked.layers")
