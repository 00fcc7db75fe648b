"""Keras's callbacks on masked metrics: what they monitor, keep and log."""

import csv

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.interchange import evaluate, fit
from tests.interchange_models import COLUMNS, SENTINEL, network, table

pytestmark = pytest.mark.slow

EPOCHS = 4


def regression(metric=km.metrics.MeanAbsoluteError, rate=0.1):
    """A model, its data, and validation data: columns of their own, with holes of their own."""
    x, y, gone = table()
    model = network(values=None)
    options = {"metrics": [metric(name="metric", missing=SENTINEL)], "jit_compile": False}
    loss = km.losses.MeanSquaredError(missing=SENTINEL)
    model.compile(keras.optimizers.SGD(rate), loss=loss, **options)
    return model, x, np.where(gone, SENTINEL, y), (x, np.where(gone[::-1], SENTINEL, y))


def classification():
    x, y, gone = table()
    model = network(assays="sigmoid")
    options = {"metrics": [km.metrics.AUC(name="auc")], "jit_compile": False}
    model.compile(keras.optimizers.SGD(0.5), loss=km.losses.BinaryCrossentropy(), **options)
    validation = x, np.where(gone[::-1], np.nan, y > 0)
    return model, x, np.where(gone, np.nan, y > 0), validation


def upside_down(labels):
    """Labels from which one learns the opposite."""
    flipped = 1 - labels if np.isnan(labels).any() else -labels
    return np.where(labels == SENTINEL, labels, flipped)


PROBLEMS = pytest.mark.parametrize(
    ("build", "name", "best"),
    [
        pytest.param(regression, "val_metric", min, id="down"),
        pytest.param(classification, "val_auc", max, id="up"),
    ],
)


@PROBLEMS
def test_early_stopping_infers_the_direction(build, name, best):
    model, x, labels, validation = build()
    options = {"epochs": EPOCHS, "validation_data": validation}
    stopping = keras.callbacks.EarlyStopping(name, patience=1, min_delta=1e-3)
    values = fit(model, x, labels, callbacks=[stopping], **options)[name]
    assert len(values) == EPOCHS and best(values) == values[-1]  # it improved to the last


@PROBLEMS
def test_early_stopping_ends_what_gets_worse(build, name, best):
    model, x, labels, validation = build()
    options = {"epochs": EPOCHS, "validation_data": validation}
    stopping = keras.callbacks.EarlyStopping(name, patience=1, restore_best_weights=True)
    values = fit(model, x, upside_down(labels), callbacks=[stopping], **options)[name]
    assert len(values) == 2 and best(values) == values[0]
    restored = evaluate(model, *validation)[name.removeprefix("val_")]
    assert restored == pytest.approx(values[0])


@PROBLEMS
def test_checkpoint_keeps_the_best(build, name, best, tmp_path):
    model, x, labels, validation = build()
    path = tmp_path / "best.keras"
    checkpoint = keras.callbacks.ModelCheckpoint(path, monitor=name, save_best_only=True)
    options = {"validation_data": validation, "callbacks": [checkpoint]}
    values = fit(model, x, labels, epochs=2, **options)[name]
    values += fit(model, x, upside_down(labels), epochs=2, **options)[name]
    assert best(values) not in (values[0], values[-1])  # neither the first nor the last
    kept = evaluate(keras.saving.load_model(path), *validation)[name.removeprefix("val_")]
    assert kept == pytest.approx(best(values))


def logged(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_csv_logger_logs_the_values_of_deleted_data(tmp_path):
    model, x, labels, (_, val_labels) = regression()
    path = tmp_path / "log.csv"
    options = {"validation_data": (x, val_labels), "callbacks": [keras.callbacks.CSVLogger(path)]}
    history = fit(model, x, labels, epochs=2, **options)
    rows = logged(path)
    assert set(rows[0]) == {"epoch", *history}
    for name, values in history.items():
        assert [float(row[name]) for row in rows] == pytest.approx(values, rel=1e-6)
    kernel, bias = model.get_weights()
    there = val_labels != SENTINEL
    errors = val_labels[there] - (x @ kernel + bias)[there]
    assert float(rows[-1]["val_metric"]) == pytest.approx(np.abs(errors).mean(), rel=1e-5)


def test_per_label_in_callbacks(tmp_path):
    model, x, labels, (_, val_labels) = regression()
    inner = km.metrics.MeanAbsoluteError(missing=SENTINEL)
    metric = km.metrics.PerLabel(inner, COLUMNS, show_support=True, name="each")
    model.compile(keras.optimizers.SGD(0.1), model.loss, metrics=[metric], jit_compile=False)
    path = tmp_path / "log.csv"
    callbacks = [
        keras.callbacks.CSVLogger(path),
        keras.callbacks.EarlyStopping("val_each/macro", mode="min", patience=1, min_delta=1e-3),
        keras.callbacks.ReduceLROnPlateau("val_each/macro", mode="min"),
    ]
    options = {"validation_data": (x, val_labels), "callbacks": callbacks}
    history = fit(model, x, labels, epochs=EPOCHS, **options)
    names = [*COLUMNS, "macro", *(f"support/{column}" for column in COLUMNS)]
    assert set(history) == {"loss", "val_loss", "learning_rate"} | {
        f"{v}each/{n}" for v in ("", "val_") for n in names
    }
    rows = logged(path)
    kernel, bias = model.get_weights()
    errors = np.abs(val_labels - (x @ kernel + bias))
    there = val_labels != SENTINEL
    means = [errors[there[:, c], c].mean() for c in range(len(COLUMNS))]
    for column, mean, count in zip(COLUMNS, means, there.sum(axis=0), strict=True):
        assert float(rows[-1][f"val_each/{column}"]) == pytest.approx(mean, rel=1e-5)
        assert float(rows[-1][f"val_each/support/{column}"]) == count
    assert float(rows[-1]["val_each/macro"]) == pytest.approx(np.mean(means), rel=1e-5)


class Validation(keras.utils.PyDataset):
    """One batch, in which all labels are missing in the first epoch."""

    def __init__(self, x, labels):
        super().__init__()
        self.x, self.labels, self.epoch = x, labels, 0

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.x, self.labels if self.epoch else np.full_like(self.labels, SENTINEL)

    def clock(self):
        return keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: setattr(self, "epoch", epoch)
        )


@pytest.mark.parametrize("metric", [km.metrics.MeanAbsoluteError, km.metrics.R2Score])
def test_epoch_without_a_label_logs_nan(metric, tmp_path):
    model, x, labels, validation = regression(metric)
    path = tmp_path / "log.csv"
    best = tmp_path / "best.keras"
    data = Validation(*validation)
    callbacks = [
        data.clock(),
        keras.callbacks.CSVLogger(path),
        keras.callbacks.EarlyStopping("val_metric", patience=5),
        keras.callbacks.ModelCheckpoint(best, monitor="val_metric", save_best_only=True),
        keras.callbacks.ReduceLROnPlateau("val_metric"),
        keras.callbacks.TerminateOnNaN(),
    ]
    history = fit(model, x, labels, epochs=3, validation_data=data, callbacks=callbacks)
    for values in (history["val_metric"], [float(row["val_metric"]) for row in logged(path)]):
        assert [np.isnan(value) for value in values] == [True, False, False]
    assert history["val_loss"][0] == 0


@pytest.mark.parametrize(("start", "epochs"), [(0, 3), (1, EPOCHS)])
def test_early_stopping_after_an_epoch_without_a_label(start, epochs):
    # A NaN that is monitored first can be neither undercut nor exceeded.
    model, x, labels, validation = regression()
    data = Validation(*validation)
    stopping = keras.callbacks.EarlyStopping("val_metric", patience=2, start_from_epoch=start)
    options = {"validation_data": data, "callbacks": [data.clock(), stopping]}
    assert len(fit(model, x, labels, epochs=EPOCHS, **options)["val_metric"]) == epochs


def test_batch_without_a_label_changes_nothing():
    model, x, labels, _ = regression()
    before = model.get_weights()
    history = fit(model, x, np.full_like(labels, SENTINEL))
    assert history["loss"] == [0] and np.isnan(history["metric"]).all()
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
