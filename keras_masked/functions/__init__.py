"""Losses and metrics as functions of `(y_true, y_pred)`: one value per row.

They are public under their names in Keras, as `keras_masked.losses.mean_squared_error` and
`keras_masked.metrics.mean_squared_error`.
"""
