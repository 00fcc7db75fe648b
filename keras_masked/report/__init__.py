"""What people look at: labels before training, results after it."""

from keras_masked.report.labels import LabelDescription, describe_labels

__all__ = ["LabelDescription", "describe_labels"]
