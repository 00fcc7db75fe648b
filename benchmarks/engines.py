"""What differs between backends: arrays on a device, gradients, compilers, waiting for results."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Callable
from typing import Any

Tensor = Any
Loss = Callable[[Tensor, Tensor], Tensor]

BACKENDS = ("jax", "tensorflow", "torch")
PACKAGES = ("keras", "jax", "jaxlib", "tensorflow", "tensorflow-cpu", "torch", "optax")


def prepare(backend: str, device: str) -> None:
    """Chooses backend and device; to be called before Keras is imported."""
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        os.environ["JAX_PLATFORMS"] = "cpu"


def has_gpu() -> bool:
    """Whether the backend sees a GPU."""
    match _backend():
        case "jax":
            import jax

            return any(device.platform == "gpu" for device in jax.devices())
        case "tensorflow":
            import tensorflow as tf

            return bool(tf.config.list_physical_devices("GPU"))
        case _:
            import torch

            return bool(torch.cuda.is_available())


def describe(device: str) -> dict[str, Any]:
    """What a reader must know to compare figures: versions, processor, options."""
    versions = {}
    for package in (*PACKAGES, "torchmetrics", "numpy"):
        if importlib.util.find_spec(package.replace("-cpu", "")):
            try:
                versions[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                continue
    options = ("OMP_NUM_THREADS", "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS")
    return {
        "backend": _backend(),
        "device": device,
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": versions,
        "environment": {name: os.environ[name] for name in options if name in os.environ},
    }


def value_and_gradient(loss: Loss, compiled: bool) -> Callable[[Tensor, Tensor], Any]:
    """A function of labels and predictions that returns the loss and its gradient, when done.

    The gradient is by the predictions, or by each of a list of tensors. "Compiled" means both
    passes, by `jax.jit`, `tf.function(jit_compile=True)` or `torch.compile`.
    """
    match _backend():
        case "jax":
            return _finished(_jax(loss), compiled)
        case "tensorflow":
            return _finished(_tensorflow(loss), compiled)
        case _:
            return _torch(loss, compiled)


def compiled_call(function: Callable[..., Any], compiled: bool) -> Callable[..., Any]:
    """The function, compiled or not, which returns when its results are there."""
    return _finished(function, compiled)


def _jax(loss: Loss) -> Callable[[Tensor, Tensor], Any]:
    import jax

    return jax.value_and_grad(loss, argnums=1)


def _tensorflow(loss: Loss) -> Callable[[Tensor, Tensor], Any]:
    import tensorflow as tf

    def run(y_true: Tensor, y_pred: Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred)
        return value, tape.gradient(value, y_pred)

    return run


def _torch(loss: Loss, compiled: bool) -> Callable[[Tensor, Tensor], Any]:
    import torch

    forward = _compile(loss) if compiled else loss

    def run(y_true: Tensor, y_pred: Tensor) -> Any:
        several = isinstance(y_pred, list)
        taken = [x.detach().requires_grad_() for x in (y_pred if several else [y_pred])]
        value = forward(y_true, taken if several else taken[0])
        gradients = torch.autograd.grad(value, taken)
        wait()
        return value.detach(), gradients if several else gradients[0]

    return run


def _finished(function: Callable[..., Any], compiled: bool) -> Callable[..., Any]:
    function = _compile(function) if compiled else function

    def run(*args: Any) -> Any:
        results = function(*args)
        wait(results)
        return results

    return run


def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    match _backend():
        case "jax":
            import jax

            return jax.jit(function)
        case "tensorflow":
            import tensorflow as tf

            return tf.function(function, jit_compile=True)
        case _:
            import torch

            # Every subject is a closure of the same code: each counts as a recompilation of it.
            torch._dynamo.config.cache_size_limit = 1024
            torch._dynamo.config.accumulated_cache_size_limit = 1024

            def own(*args: Any) -> Any:
                return function(*args)

            return torch.compile(own, dynamic=False)


def forget() -> None:
    """Drops what was compiled, so that later subjects do not search it."""
    if _backend() == "torch":
        import torch

        torch._dynamo.reset()
    elif _backend() == "jax":
        import jax

        jax.clear_caches()


def wait(results: Any = None) -> None:
    """Waits until the device has finished."""
    match _backend():
        case "jax":
            import jax

            jax.block_until_ready(results)
        case "tensorflow":
            import tensorflow as tf

            if tf.config.list_physical_devices("GPU"):
                tf.test.experimental.sync_devices()
        case _:
            import torch

            if torch.cuda.is_available():
                torch.cuda.synchronize()


def _backend() -> str:
    import keras

    return str(keras.config.backend())
