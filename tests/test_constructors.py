"""Constructors show the arguments that they pass on, and refuse what nobody named."""

import inspect

import pytest

import keras_masked as km
from keras_masked.constructors import snake_case
from keras_masked.losses import FormulaLoss, MaskedLoss
from keras_masked.losses.base import Masking

LOSSES = [
    each
    for each in (getattr(km.losses, name) for name in km.losses.__all__)
    if inspect.isclass(each) and issubclass(each, MaskedLoss)
]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_common_arguments_are_shown_and_explained(loss):
    parameters = inspect.signature(loss).parameters
    assert set(Masking.__annotations__) <= set(parameters)
    if loss in (MaskedLoss, FormulaLoss):  # whose subclasses name their options
        return
    assert not any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in Masking.__annotations__:
        assert f"        {name}: " in loss.__doc__
    assert "**masking" not in loss.__doc__


def test_defaults_are_those_of_the_class():
    def default(cls, name):
        return inspect.signature(cls).parameters[name].default

    assert default(km.losses.Huber, "missing") == "nan"
    assert default(km.losses.CTC, "missing") == (-1, "nan")
    assert default(km.losses.MeanSquaredError, "name") == "mean_squared_error"
    assert default(km.metrics.MeanSquaredError, "missing") == "nan"
    assert km.losses.CTC().missing == (-1, "nan")
    assert km.losses.CTC(missing=0).missing == 0


def test_a_class_without_a_constructor_is_named_after_itself():
    class Mine(km.losses.MeanSquaredError):
        """Mine."""

    assert Mine().name == "mine"
    assert Mine(name="yours").name == "yours"
    assert snake_case("KLDivergence") == "kl_divergence"
    assert snake_case("CIoULoss") == "ciou_loss"
    assert snake_case("SobelMSE") == "sobel_mse"


@pytest.mark.parametrize(
    ("cls", "keyword"),
    [
        (km.losses.CTC, "mising"),
        (km.losses.SobelMSE, "mising"),
        (km.losses.MeanSquaredError, "evaluate"),
        (km.losses.SparseCategoricalCrossentropy, "mask_index"),
        (km.metrics.MeanSquaredError, "mising"),
        (km.metrics.AUC, "mising"),
    ],
)
def test_unknown_keywords_raise(cls, keyword):
    with pytest.raises(TypeError, match=rf"{cls.__name__}.*'{keyword}'"):
        cls(**{keyword: -1})


def test_options_of_bases_are_known():
    # What a constructor without `**` passes to that of its base.
    assert km.metrics.F1Score().beta == 1.0
