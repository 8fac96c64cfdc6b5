"""The columns of the table, and which module of peers/ measures each. Imports nothing that has to be installed."""

import dataclasses

LAYOUTS = ("channels_last", "channels_first")


@dataclasses.dataclass(frozen=True)
class Entry:
    module: str
    layouts: tuple = LAYOUTS
    # Called from Python, so that what a call of an almost empty layer takes is subtracted.
    from_python: bool = True
    default: bool = True


ENTRIES = {
    "tconv": Entry("tconv", from_python=False),
    "tconv_general": Entry("tconv", from_python=False),
    "tconv_avx2": Entry("tconv", from_python=False, default=False),
    "torch": Entry("pytorch"),
    "torch_cl": Entry("pytorch", ("channels_last",)),
    "ort": Entry("onnx_runtime"),
    "ncnn": Entry("ncnn_net"),
    "mnn": Entry("mnn_session"),
    "openvino": Entry("openvino_model"),
    "litert": Entry("litert_model", ("channels_last",)),
    "tf": Entry("tensorflow_function", ("channels_last",)),
    "tfxla": Entry("tensorflow_function", ("channels_last",)),
    "jax": Entry("jax_function", ("channels_last",)),
}


def is_ours(name):
    return ENTRIES[name].module == "tconv"
