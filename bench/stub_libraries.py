"""Lets PyPI's PyTorch be imported without NVIDIA's large libraries: puts an empty shared library in the place of each
that is not there. `./bootstrap bench` calls it once, after pip, with .venv-bench's python.

Each holds the symbols that PyTorch's own libraries expect of it. They abort when called, which only code for a GPU
would do; libcudart, which is called when PyTorch starts, is the real one.
"""

import pathlib
import re
import subprocess
import sysconfig
import tempfile

# What PyTorch's libraries name as needed, less cudart and cupti, and how the symbols of each begin.
PREFIXES = {
    "libcublas.so.13": "cublas(?!Lt)", "libcublasLt.so.13": "cublasLt", "libcudnn.so.9": "cudnn",
    "libcufft.so.12": "cufft", "libcufile.so.0": "cuFile", "libcusolver.so.12": "cusolver",
    "libcusparse.so.12": "cusparse(?!Lt)", "libcusparseLt.so.0": "cusparseLt", "libnccl.so.2": "nccl",
    "libnvrtc.so.13": "nvrtc", "libnvshmem_host.so.3": "nvshmem",
}


def undefined_symbols(libraries):
    """(symbol, version) of each; the version is empty where there is none."""
    listing = subprocess.run(["nm", "-D", "--undefined-only", *libraries], capture_output=True, text=True, check=True)
    words = {line.split()[-1] for line in listing.stdout.splitlines() if " U " in line}
    return sorted(tuple(word.partition("@")[::2]) for word in words)


def make_stub(path, symbols, scratch):
    source, script = scratch / "stub.c", scratch / "stub.map"
    source.write_text("".join(f"void {name}(void) {{ __builtin_trap(); }}\n" for name, _ in symbols))
    versions = {version for _, version in symbols if version}
    # The loader asserts that a library has the versions that are asked of it.
    script.write_text("".join(f"{version} {{ global: *; }};\n" for version in versions))
    options = [f"-Wl,--version-script={script}"] if versions else []
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", f"-Wl,-soname,{path.name}", *options, source, "-o", path],
                   check=True)


def main():
    site = pathlib.Path(sysconfig.get_path("platlib"))
    if not (site / "torch/lib").is_dir():
        return
    # PyTorch's libraries look here before anywhere else.
    directory = site / "nvidia/cu13/lib"
    directory.mkdir(parents=True, exist_ok=True)
    symbols = undefined_symbols(sorted((site / "torch/lib").glob("lib*.so")))
    with tempfile.TemporaryDirectory() as scratch:
        for name, prefix in PREFIXES.items():
            wanted = [symbol for symbol in symbols if re.match(prefix, symbol[0])]
            make_stub(directory / name, wanted, pathlib.Path(scratch))


if __name__ == "__main__":
    main()
