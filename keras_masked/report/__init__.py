"""What people look at: labels before training, results after it."""

from keras_masked.report.comparison import Comparison, compare
from keras_masked.report.labels import LabelDescription, describe_labels
from keras_masked.report.results import Report, report

__all__ = ["Comparison", "LabelDescription", "Report", "compare", "describe_labels", "report"]
