"""Learn from a table in which three values in five are known only as bounds.

The same Keras model is trained four ways; only the treatment of bounds differs:

1. bounds dropped: a value known only as ">100" counts as missing;
2. bounds for values: ">100" is taken for 100;
3. bounded squares: squared distance to what is known, so that a prediction above 100 costs nothing;
4. censored likelihood: the probability that a predicted normal distribution gives to what is known.

    python examples/assay.py [--backend jax|tensorflow|torch] [--seeds N] [--out DIR]

Data: the values of examples/quickstart.py, real and half holes: melting and boiling points,
densities and refractive indices of organic compounds. All of them are known, so that the censoring
can be undone: it is simulated, by this rule. Each value was measured by an instrument of its own,
whose range ends at a lower and an upper limit; limits are drawn about the 20 % and the 60 %
quantile of the label, a quarter of its standard deviation around them. What is outside the range
is known only to be less than the lower limit, or more than the upper one. Three in five
training values become bounds. Test values stay as they are: scored is the difference from the
truth, of all values and of those that would have been bounds.

Split: seed s draws its own random 80 % of the molecules for training, its own limits and its own
initial weights, the same for all four ways, which see the same batches for equally many epochs.
The scale of the labels is measured on the training labels, bounds included.
"""

import argparse
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from quickstart import LABELS, VOCABULARY, Counter, load, require

# Keras picks its backend when it is imported: functions import it, once --backend is read.

Array = NDArray[Any]

WAYS = {
    "bounds dropped": "#8c8c8c",
    "bounds for values": "#e08a00",
    "bounded squares": "#3a9d5d",
    "censored likelihood": "#0067b1",
}
QUANTILES, SPREAD = (0.2, 0.6), 0.25
WIDTH, EPOCHS, BATCH = 192, 15, 256


class Split(NamedTuple):
    """One seed's molecules: features, and what is known of labels, in units of their scale."""

    x: Array
    known: Array
    x_test: Array
    truth: Array
    outside: Array


def main() -> None:
    parser = argparse.ArgumentParser(description="Four ways to train on labels that are bounds.")
    parser.add_argument("--backend", choices=["jax", "tensorflow", "torch"], help="default jax")
    parser.add_argument("--seeds", type=int, default=5, help="repetitions, default 5")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the picture")
    args = parser.parse_args()
    if args.seeds < 1:
        parser.error("--seeds must be at least 1")
    backend = args.backend or os.environ.get("KERAS_BACKEND", "jax")
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no notes on the processor
    require("keras", "keras_masked", "chemicals", "matplotlib", backend)
    import keras

    import keras_masked as km

    fragments, labels = load()
    known = censor(labels, np.random.default_rng(0))[0]
    print(f"What is known of the labels with the limits of one seed, on {backend}:\n")
    print(km.describe_labels(known, LABELS, censored=True))
    progress = keras.utils.Progbar(args.seeds * len(WAYS), unit_name="model")
    scores = np.empty((2, len(WAYS), args.seeds, len(LABELS)))
    for seed in range(args.seeds):
        split = make_split(fragments, labels, seed)
        for i, way in enumerate(WAYS):
            prediction = predict(train(split, way, seed), split.x_test)
            scores[:, i, seed] = rmse(split, prediction)
            progress.add(1)
    print(table(scores))
    args.out.mkdir(parents=True, exist_ok=True)
    draw(args.out / "assay.png", scores)


def censor(labels: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """What the instruments tell `(..., 2)`, and where it is no value."""
    import keras_masked as km

    centers = np.nanquantile(labels, QUANTILES, axis=0)
    noise = rng.normal(size=(2, *labels.shape)) * SPREAD * np.nanstd(labels, axis=0)
    low, high = np.sort(centers[:, None] + noise, axis=0)
    below, above = labels < low, labels > high
    value = np.where(below, low, np.where(above, high, labels))
    qualifier = np.where(below, "<", np.where(above, ">", "="))
    return km.censored_labels(value, qualifier=qualifier), below | above


def make_split(fragments: list[Counter[str]], labels: Array, seed: int) -> Split:
    """Shuffle with `seed`, cut 80 / 20, censor, and scale by what is known of the first part."""
    import keras

    import keras_masked as km

    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    cut = int(0.8 * len(order)) // BATCH * BATCH  # whole batches: one compilation, not two
    common = Counter(name for i in order[:cut] for name in fragments[i])
    column = {name: j for j, (name, _) in enumerate(common.most_common(VOCABULARY))}
    x = np.zeros((len(labels), len(column)), dtype="float32")
    for i, counts in enumerate(fragments):
        for name in counts.keys() & column.keys():
            x[i, column[name]] = np.log1p(counts[name])
    known, outside = censor(labels, rng)
    normalization = km.layers.LabelNormalization(censored=True)
    normalization.adapt(known[order[:cut]])
    known = keras.ops.convert_to_numpy(normalization(known))
    exact = np.stack([labels, labels], axis=-1)
    truth = keras.ops.convert_to_numpy(normalization(exact))[..., 0]
    first, rest = order[:cut], order[cut:]
    return Split(x[first], known[first], x[rest], truth[rest], outside[rest])


def train(split: Split, way: str, seed: int) -> Any:
    """The same model, batches and optimizer for each way; only labels, loss and head differ."""
    import keras

    import keras_masked as km

    lower, upper = split.known[..., 0], split.known[..., 1]
    y = split.known
    loss: Any = km.losses.MeanSquaredError()
    if way == "bounds dropped":
        y = np.where(lower == upper, lower, np.nan)
    elif way == "bounds for values":
        y = np.where(np.isinf(lower), upper, lower)
    elif way == "bounded squares":
        loss = km.losses.MeanSquaredError(censored=True)
    else:
        loss = km.losses.NegativeLogLikelihood("gaussian", censored=True)

    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input(split.x.shape[1:])])
    for _ in range(2):
        model.add(keras.layers.Dense(WIDTH, activation="relu"))
        model.add(keras.layers.Dropout(0.1))
    likelihood = way == "censored likelihood"
    head = (
        km.layers.DistributionHead(len(LABELS)) if likelihood else keras.layers.Dense(len(LABELS))
    )
    model.add(head)
    model.compile("adamw", loss)
    model.fit(split.x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return model


def predict(model: Any, x: Array) -> Array:
    """One number for each label: of a distribution the mean."""
    found = np.asarray(model.predict(x, batch_size=1024, verbose=0))
    return found[..., 0] if found.ndim == 3 else found


def rmse(split: Split, prediction: Array) -> Array:
    """Root mean squared difference from the truth, of all values and of those out of range.

    In standard deviations of the truth: 1 is what its mean would give.
    """
    scale = np.nanstd(split.truth, axis=0)
    squares = np.square((prediction - split.truth) / scale)
    out_of_range = np.where(split.outside, squares, np.nan)
    return np.sqrt([np.nanmean(each, axis=0) for each in (squares, out_of_range)])


def table(scores: Array) -> str:
    """Means over the seeds, and the gain of the likelihood on the best of the others."""
    heads = ("all test values", "those whose instrument would have been out of range")
    lines = ["\nRMSE against the truth, in standard deviations, mean ± sd over the seeds."]
    for head, found in zip(heads, scores, strict=True):
        lines += ["", head, " " * 18 + "".join(f"{way:>22}" for way in WAYS) + f"{'gain':>10}"]
        with_mean = np.concatenate([found, found.mean(axis=-1, keepdims=True)], axis=-1)
        for k, name in enumerate([*LABELS, "mean"]):
            each = with_mean[..., k]
            sds = each.std(axis=1, ddof=1) if each.shape[1] > 1 else np.full(len(each), np.nan)
            means = each.mean(axis=1)
            cells = [f"{m:>14.3f} ± {sd:.3f}" for m, sd in zip(means, sds, strict=True)]
            gain = 1 - means[-1] / means[:-1].min()
            lines.append(f"{name:<18}" + "".join(cells) + f"{gain:>9.0%}")
    return "\n".join(lines)


def draw(path: Path, scores: Array) -> None:
    """A dot per seed and a bar at their mean, for each way and label."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), dpi=110, layout="constrained")
    means = scores[0].mean(axis=(1, 2))
    figure.suptitle(
        "Three in five training values known only as bounds: error against the truth\n"
        f"{means[-1]:.2f} by the likelihood of what is known, {means[:-1].min():.2f} by the best "
        "of the other ways",
        fontsize=13,
        fontweight="bold",
    )
    titles = ("all test values", "values out of the instruments' range")
    for axis, title, found in zip(figure.subplots(1, 2, sharey=True), titles, scores, strict=True):
        for i, (way, color) in enumerate(WAYS.items()):
            for k, values in enumerate(found[i].T):
                height = k + (i - 1.5) * 0.18
                axis.vlines(values.mean(), height - 0.08, height + 0.08, color=color, lw=3)
                axis.plot(values, [height] * len(values), "o", color=color, ms=4, alpha=0.5)
            axis.plot([], [], "o", color=color, label=way)
        axis.set_yticks(range(len(LABELS)), LABELS)
        axis.set(title=title, xlabel="RMSE, standard deviations (a dot per seed)", xlim=(0, None))
    figure.axes[0].invert_yaxis()
    figure.axes[1].legend(fontsize=9)
    figure.savefig(path)
    print(f"\nDrawn: {path}")


if __name__ == "__main__":
    main()
