"""What holds no numbers that a backend could read: an error that says what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import backend

from keras_masked import _backend


def reject_arrays(**arrays: Any) -> None:
    """Raises on what the backends misread, or have no words for, with the cure.

    That is NumPy's masked arrays (the backends take the data under a mask for labels), complex
    numbers (they drop imaginary parts), `None` and `pandas.NA`, texts and dates, numbers in
    the byte order of FITS files, and rows of different lengths.
    """
    for name, array in arrays.items():
        if array is None or _backend.form_of(array) == "dense":
            continue
        if not isinstance(array, (list, tuple)):
            _reject(name, array)
            continue
        for part in _parts(array):
            _reject(name, part)
        if _is_ragged(array):
            raise ValueError(
                f"Argument `{name}` holds rows of different lengths. Fill them up with what "
                f"`missing` names, for example `keras.utils.pad_sequences({name}, "
                "dtype='float32', padding='post', value=np.nan)`."
            )


def reject_misread(**arrays: Any) -> None:
    """Raises on what is misread, also in lists of batches, where objects are read as NaN."""
    for name, array in arrays.items():
        for part in _parts(array) if isinstance(array, (list, tuple)) else (array,):
            _reject_misread(name, part)


def _reject_misread(name: str, part: Any) -> str:
    """Raises on what has no axes as arrays do, and on what is dropped: masks, imaginary parts."""
    form = _backend.form_of(part)
    if form == "ragged":
        raise ValueError(
            f"Argument `{name}` is ragged: its rows differ in length. Fill them up with what "
            f"`missing` names: `{name}.to_tensor(float('nan'))` in TensorFlow, "
            f"`{name}.to_padded_tensor(float('nan'))` in PyTorch."
        )
    if form == "sparse":
        raise ValueError(
            f"Argument `{name}` is a sparse tensor: what it does not hold is 0, rather than "
            "missing. Make it dense, with what `missing` names where nothing is known."
        )
    if isinstance(part, np.ma.MaskedArray):
        raise ValueError(
            f"Argument `{name}` is a numpy masked array, or holds some: no Keras backend "
            "sees their masks. Mark the missing entries in the data instead, for example "
            f"with `{name}.astype('float32').filled(np.nan)`."
        )
    dtype = str(getattr(part, "dtype", type(part).__name__))
    if form == "complex" or "complex" in dtype:
        raise ValueError(
            f"Argument `{name}` must be real: give real and imaginary parts on an axis of "
            f"their own. Received: {name} of dtype {dtype}"
        )
    return form


def _reject(name: str, part: Any) -> None:
    if _reject_misread(name, part):
        return
    dtype = getattr(part, "dtype", None)
    if part is None or _holds_objects(part):
        raise ValueError(
            f"Argument `{name}` holds objects, such as None or pandas.NA, which no Keras backend "
            "can read. Make numbers of them, NaN where nothing is known: "
            f"`pandas.DataFrame({name}).to_numpy('float32', na_value=np.nan)`."
        )
    if isinstance(part, (str, bytes)) or getattr(dtype, "kind", "f") in tuple("SUMm"):
        raise ValueError(
            f"Argument `{name}` must hold numbers. Convert texts with `pandas.to_numeric`, and "
            "dates to a number of days, say. "
            f"Received: {repr(part) if dtype is None else f'{name} of dtype {dtype}'}"
        )

    if not getattr(dtype, "isnative", True) and backend.backend() != "tensorflow":
        native = np.dtype(dtype).newbyteorder("=").name
        raise ValueError(
            f"Argument `{name}` has the byte order of other machines, as what is read from FITS "
            f"files has: the backend cannot read it. Take `{name}.astype('{native}')`, and of "
            f"what `fit` is given likewise. Received: {name} of dtype {np.dtype(dtype).str!r}"
        )


def _holds_objects(part: Any) -> bool:
    """Whether entries are objects of Python: those of an array, a table of pandas, or one."""
    if hasattr(part, "iloc"):  # a column of pandas may have a dtype that can hold NA
        return bool(np.asarray(part).dtype == object)
    return str(getattr(part, "dtype", "")) == "object" or type(part).__name__ == "NAType"


def _parts(nested: Any) -> Iterator[Any]:
    """What nested lists hold."""
    for each in nested:
        if isinstance(each, (list, tuple)):
            yield from _parts(each)
        else:
            yield each


def _is_ragged(nested: Any) -> bool:
    try:
        _shape(nested)
    except ValueError:
        return True
    return False


def _shape(nested: Any) -> tuple[Any, ...]:
    """The shape of nested lists, with that of the arrays in them."""
    if not isinstance(nested, (list, tuple)):
        return tuple(getattr(nested, "shape", ()))
    shapes = {_shape(each) for each in nested}
    if len(shapes) > 1:
        raise ValueError
    return (len(nested), *shapes.pop()) if shapes else (0,)
