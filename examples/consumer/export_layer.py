"""Writes a Keras layer in the form that tconvc reads: decoder.json, decoder_kernel.npy and decoder_bias.npy.

    python export_layer.py DIRECTORY

Needs Keras 3 with any backend. decoder.json of this directory was made so.
"""

import json
import pathlib
import sys

import keras
import numpy as np

layer = keras.layers.Conv2DTranspose(
    filters=8, kernel_size=3, strides=2, padding="same", activation="relu", name="decoder"
)
layer.build((1, 20, 12, 16))  # (batch, height, width, channels); None where a size is open

directory = pathlib.Path(sys.argv[1])
kernel, bias = layer.get_weights()
np.save(directory / "decoder_kernel.npy", kernel)
np.save(directory / "decoder_bias.npy", bias)
(directory / "decoder.json").write_text(json.dumps(keras.layers.serialize(layer), indent=1) + "\n")
