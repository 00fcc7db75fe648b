"""Fill the holes of handwritten digits with a variational autoencoder that never saw a whole one.

Of each image, a square and single pixels are missing: in training, too. The loss, the negative
evidence lower bound of `keras_masked`, is that of the pixels that are there; the others are no part
of it. What the model makes of them is compared with the mean of each pixel, the plain way to fill
holes, on digits that it has not seen.

    python examples/vae.py [--backend jax|tensorflow|torch] [--epochs N] [--seed S] [--out DIR]

Data: 1,797 digits of 8 x 8 pixels, the test part of "Optical Recognition of Handwritten Digits" by
E. Alpaydin and C. Kaynak (UCI Machine Learning Repository, CC BY 4.0), which ships inside the PyPI
package `scikit-learn`. A fifth of them, drawn by the seed, is for testing.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Keras picks its backend when it is imported: functions import it, once --backend is read.

Array = NDArray[Any]

SIDE = 8
PIXELS = SIDE * SIDE
SQUARE, SINGLE = 4, 0.2  # side of the missing square, share of single pixels missing beside it
LATENT, WIDTH, BATCH = 8, 256, 64
LOG_VARIANCE = -3.5  # of a pixel about its reconstruction: a standard deviation of 0.17


class Digits(NamedTuple):
    """Images in [0, 1], the same with NaN in the holes, and which digits they are."""

    truth: Array
    seen: Array
    digit: Array


def main() -> None:
    parser = argparse.ArgumentParser(description="Fill holes of digits with an autoencoder.")
    parser.add_argument("--backend", choices=["jax", "tensorflow", "torch"], help="default jax")
    parser.add_argument("--epochs", type=int, default=120, help="default 120")
    parser.add_argument("--seed", type=int, default=0, help="of holes and weights, default 0")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for picture and model")
    args = parser.parse_args()
    if args.epochs < 1:
        parser.error("--epochs must be at least 1")
    backend = args.backend or os.environ.get("KERAS_BACKEND", "jax")
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no notes on the processor
    require("keras", "keras_masked", "sklearn", "matplotlib", backend)
    import keras

    keras.utils.set_random_seed(args.seed)
    train, test = load(np.random.default_rng(args.seed))
    print(
        f"{len(train.seen):,} digits to train with, {np.isnan(train.seen).mean():.0%} of their "
        f"pixels missing; {len(test.seen)} others to test.\n"
        f"Training for {args.epochs} epochs on {backend}:"
    )
    model = build()
    fit(model, train.seen, args.epochs)

    reconstruction = model.predict(test.seen, verbose=0)
    fills = {
        "mean of the pixel": np.broadcast_to(np.nanmean(train.seen, axis=0), test.seen.shape),
        "autoencoder": reconstruction,
    }
    errors = {name: error_in_holes(test, fill) for name, fill in fills.items()}
    print("\nRoot mean squared error of the missing pixels, of black = 1:")
    for name, error in errors.items():
        print(f"    {name:<20}{error:.3f}")
    args.out.mkdir(parents=True, exist_ok=True)
    check_saved(model, test, args.out / "vae.keras")
    draw(args.out / "vae.png", test, fills, reconstruction, errors)


def require(*modules: str) -> None:
    """Stop with the command that installs what is missing."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        packages = {"keras_masked": ".", "sklearn": "scikit-learn"}
        raise SystemExit(
            f"This example needs {', '.join(missing)}. In the root of the repository, run:\n"
            f"    pip install {' '.join(packages.get(name, name) for name in missing)}"
        )


def load(rng: np.random.Generator) -> tuple[Digits, Digits]:
    """Digits to train with and to test, each with holes of its own."""
    from sklearn.datasets import load_digits

    truth, digit = load_digits(return_X_y=True)
    truth = (truth / 16).astype("float32")
    order = rng.permutation(len(truth))
    digits = Digits(truth, np.where(holes(rng, len(truth)), np.nan, truth), digit)
    first, last = np.split(order, [len(order) * 4 // 5])
    train, test = (Digits(*(part[rows] for part in digits)) for rows in (first, last))
    return train, test


def holes(rng: np.random.Generator, images: int) -> Array:
    """Where an image has holes: a square somewhere, and single pixels."""
    missing = rng.random((images, SIDE, SIDE)) < SINGLE
    corners = rng.integers(0, SIDE - SQUARE + 1, (images, 2))
    for image, (down, right) in zip(missing, corners, strict=True):
        image[down : down + SQUARE, right : right + SQUARE] = True
    return missing.reshape(images, PIXELS)


def build() -> Any:
    """From pixels, NaN where missing, to a reconstruction of all; the loss is inside."""
    import keras
    from keras import layers, ops

    import keras_masked as km

    def dense(x: Any) -> Any:
        return layers.Dense(WIDTH, activation="gelu")(layers.Dense(WIDTH, activation="gelu")(x))

    pixels = keras.Input((PIXELS,))
    known = ops.cast(ops.logical_not(ops.isnan(pixels)), "float32")
    # In training, some more pixels are kept from the encoder, not from the loss: what it says of
    # pixels that it does not see is then tried on some that are known.
    known = layers.Dropout(0.25)(known)
    known = ops.cast(known > 0, "float32")
    features = dense(ops.concatenate([ops.nan_to_num(pixels) * known, known], axis=-1))
    mean, log_var = layers.Dense(LATENT)(features), layers.Dense(LATENT)(features)
    draw_of = km.layers.GaussianSampling()([mean, log_var])
    reconstruction = layers.Dense(PIXELS, activation="sigmoid")(dense(draw_of))
    bound = km.layers.VariationalEndpoint(x_log_var=LOG_VARIANCE)
    model = keras.Model(pixels, bound([pixels, reconstruction, mean, log_var]))
    return model


def fit(model: Any, pixels: Array, epochs: int) -> None:
    import keras

    progress = keras.utils.Progbar(epochs, unit_name="epoch", stateful_metrics=["loss"])
    tell = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: progress.update(epoch + 1, [("loss", logs["loss"])])
    )
    rate = keras.optimizers.schedules.CosineDecay(3e-3, epochs * -(-len(pixels) // BATCH))
    model.compile(keras.optimizers.Adam(rate))
    model.fit(pixels, epochs=epochs, batch_size=BATCH, verbose=0, callbacks=[tell])


def error_in_holes(digits: Digits, fill: Array) -> float:
    """The error of the pixels that were missing; those that were there are the missing labels."""
    import keras_masked as km

    metric = km.metrics.RootMeanSquaredError()
    metric.update_state(np.where(np.isnan(digits.seen), digits.truth, np.nan), fill)
    return float(metric.result())


def check_saved(model: Any, digits: Digits, path: Path) -> None:
    """Save the model, load it, and stop if it does not compute the same."""
    import keras

    model.save(path)
    again = keras.saving.load_model(path)
    same = [each.predict(digits.seen, verbose=0) for each in (model, again)]
    if not np.allclose(*same, atol=1e-5):
        raise SystemExit(f"FAILED: {path} computes something else once loaded")
    print(f"{path}: saved, loaded, and the same")


def draw(
    path: Path,
    digits: Digits,
    fills: dict[str, Array],
    reconstruction: Array,
    errors: dict[str, float],
) -> None:
    """One column per digit: as it is, as the model sees it, filled in two ways, reconstructed."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    chosen = [np.flatnonzero(digits.digit == digit)[0] for digit in range(10)]
    missing = np.isnan(digits.seen)
    filled = {name: np.where(missing, fill, digits.truth) for name, fill in fills.items()}
    rows = {
        "original": digits.truth,
        "with holes": digits.seen,
        "holes filled:\nmean of the pixel": filled["mean of the pixel"],
        "holes filled:\nautoencoder": filled["autoencoder"],
        "reconstruction": reconstruction,
    }
    colors = colormaps["gray_r"].with_extremes(bad="#f2a65a")
    figure = Figure(figsize=(10, 5.9), dpi=130, layout="constrained")
    axes = figure.subplots(len(rows), len(chosen))
    for (name, images), line in zip(rows.items(), axes, strict=True):
        for axis, image in zip(line, chosen, strict=True):
            axis.imshow(images[image].reshape(SIDE, SIDE), cmap=colors, vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_color("#b0b0b0")
            if name.startswith("holes filled"):
                outline(axis, missing[image].reshape(SIDE, SIDE))
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=8)
    plain, ours = errors.values()
    figure.suptitle(
        f"Digits that the model has not seen, trained on digits with {missing.mean():.0%} of the "
        "pixels missing\nRMS error of the filled pixels: "
        f"{plain:.3f} by the mean of the pixel, {ours:.3f} by the autoencoder"
    )
    figure.savefig(path)
    print(f"{path}: drawn")


def outline(axis: Any, missing: Array) -> None:
    """Draw the edges between pixels that were missing and others."""
    padded = np.pad(missing, 1)
    for down, right in zip(*np.nonzero(missing), strict=True):
        x, y = right - 0.5, down - 0.5
        sides = {
            (0, 1): ([x, x + 1], [y, y]),
            (2, 1): ([x, x + 1], [y + 1, y + 1]),
            (1, 0): ([x, x], [y, y + 1]),
            (1, 2): ([x + 1, x + 1], [y, y + 1]),
        }
        for (i, j), edge in sides.items():
            if not padded[down + i, right + j]:
                axis.plot(*edge, color="#e07b00", lw=1, solid_capstyle="round")
    axis.set(xlim=(-0.5, SIDE - 0.5), ylim=(SIDE - 0.5, -0.5))


if __name__ == "__main__":
    main()
