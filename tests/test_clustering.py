"""Accuracy of clusters: of a batch, and of what a metric has seen."""

from __future__ import annotations

import sys
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import compile_, set_mask, tensor, to_numpy

L, M = km.losses, km.metrics
NAN = np.nan
Y, P = np.array([0, 0, 0, 1, 1, 2, -1]), np.array([3, 3, 1, 3, 0, 0, 2])


def test_the_third_argument_is_the_number_of_clusters() -> None:
    assert float(M.clustering_accuracy(Y, P, 4)) == pytest.approx(4 / 6)
    assert float(M.clustering_accuracy(Y, P, 4, num_classes=3)) == pytest.approx(4 / 6)
    with pytest.raises(ValueError, match="num_clusters"):
        M.clustering_accuracy(Y, P)


@pytest.mark.parametrize(("assignment", "right"), [("majority", 4), ("optimal", 3)])
def test_clusters_of_a_batch(assignment: str, right: int) -> None:
    options = {"num_classes": 3, "num_clusters": 4, "assignment": assignment}
    value = M.clustering_accuracy(Y, P, **options)
    np.testing.assert_allclose(to_numpy(value), right / 6, rtol=1e-6)
    metric = M.ClusteringAccuracy(**options)
    metric.update_state(Y[:3], P[:3])
    metric.update_state(Y[3:], P[3:])
    np.testing.assert_array_equal(to_numpy(metric.result()), to_numpy(value))
    table = [[0, 1, 0, 2], [1, 0, 0, 1], [1, 0, 0, 0]]
    np.testing.assert_array_equal(to_numpy(metric.contingency), table)
    assert np.isnan(to_numpy(M.clustering_accuracy(np.full(7, -1), P, **options)))


def test_one_cluster_per_label_is_right_only_by_majority() -> None:
    y, p = np.array([0, 0, 1, 1]), np.arange(4)
    options = {"num_classes": 2, "num_clusters": 4}
    assert float(M.clustering_accuracy(y, p, **options)) == 1
    assert float(M.clustering_accuracy(y, p, assignment="optimal", **options)) == 0.5


def test_scores_of_clusters() -> None:
    scores = np.eye(4)[P] + 0.1
    metric = M.ClusteringAccuracy(3, 4)
    metric.update_state(Y, scores)
    np.testing.assert_allclose(to_numpy(metric.result()), 4 / 6, rtol=1e-6)
    masked = M.ClusteringAccuracy(3, 4)
    masked.update_state(Y, set_mask(scores, np.array([1, 1, 0, 0, 0, 0, 1], bool)))
    assert (float(masked.result()), float(masked.support())) == (1, 2)
    scores[0, 1] = NAN
    assert np.isnan(to_numpy(M.clustering_accuracy(Y, scores, num_classes=3, num_clusters=4)))
    with pytest.raises(ValueError, match="4 clusters"):
        M.clustering_accuracy(Y, scores[:, :3], num_classes=3, num_clusters=4)


def test_an_id_of_no_cluster_makes_it_nan() -> None:
    metric = M.ClusteringAccuracy(3)
    metric.update_state(np.array([0, 1]), np.array([0, 3]))
    assert np.isnan(to_numpy(metric.result()))
    metric.reset_state()
    metric.update_state(np.array([0, -1]), np.array([0, 3]))
    assert float(metric.result()) == 1
    with pytest.raises(ValueError, match="class ids outside"):
        metric.update_state(np.array([0, 5]), np.array([0, 0]))


@pytest.mark.parametrize(
    ("options", "match"),
    [({"assignment": "best"}, "best"), ({"num_clusters": 0}, "num_clusters=0"),
     ({"num_classes": 2.0}, "num_classes")],
)  # fmt: skip
def test_bad_options(options: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        M.ClusteringAccuracy(**{"num_classes": 3, **options})


def test_without_scipy(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    M.ClusteringAccuracy(3)
    with pytest.raises(ImportError, match="needs SciPy"):
        M.ClusteringAccuracy(3, assignment="optimal")


def test_the_optimal_assignment_needs_values() -> None:
    if keras.config.backend() == "torch":
        pytest.skip("PyTorch's compiler leaves NumPy to itself")

    def of(p: Any) -> Any:
        return M.clustering_accuracy(
            tensor(Y), p, num_classes=3, num_clusters=4, assignment="optimal"
        )

    assert np.isnan(to_numpy(compile_(of)(tensor(P))))


@pytest.mark.parametrize("assignment", ["majority", "optimal"])
def test_clusters_in_fit(assignment: str) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Identity()])
    metric = M.ClusteringAccuracy(3, 4, assignment)
    eager = assignment == "optimal"
    model.compile(
        loss=L.SparseCategoricalCrossentropy(from_logits=True), metrics=[metric], run_eagerly=eager
    )
    scores = (np.eye(4)[P] + 0.1).astype("float32")
    found = model.evaluate(scores, Y, batch_size=3, verbose=0, return_dict=True)
    np.testing.assert_allclose(found["clustering_accuracy"], (3 if eager else 4) / 6, rtol=1e-6)


def test_updates_compile_though_the_assignment_does_not() -> None:
    metric = M.ClusteringAccuracy(3, 4, "optimal")
    if keras.config.backend() == "jax":
        step = compile_(metric.stateless_update_state)
        variables = [variable.value for variable in metric.variables]
        variables = step(variables, tensor(Y), tensor(P))
        value = metric.stateless_result(variables)
    else:
        compile_(lambda y, p: metric.update_state(y, p))(tensor(Y), tensor(P))
        value = metric.result()
    np.testing.assert_allclose(to_numpy(value), 3 / 6, rtol=1e-6)
