"""The case table: one row per public loss or metric. Every law runs over every row.

A family of rows is a module here that has functions `losses` and `metrics`, or one of them.
"""

from tests.cases import censored, classes, classification, ranking, ranks, scores, survival
from tests.cases import losses as losses_of_keras_and_others
from tests.cases import metrics as metrics_of_keras_and_others
from tests.cases.case import LABELS, Case, Draw, draw
from tests.cases.elsewhere import ELSEWHERE, OTHER_TESTS

FAMILIES = [
    losses_of_keras_and_others,
    metrics_of_keras_and_others,
    classes,
    classification,
    scores,
    censored,
    ranking,
    ranks,
    survival,
]
LOSSES = [row for family in FAMILIES if hasattr(family, "losses") for row in family.losses()]
METRICS = [row for family in FAMILIES if hasattr(family, "metrics") for row in family.metrics()]

__all__ = ["ELSEWHERE", "LABELS", "LOSSES", "METRICS", "OTHER_TESTS", "Case", "Draw", "draw"]
