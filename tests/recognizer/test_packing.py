import numpy as np
import pytest

from recognizer import ModelError
from recognizer.classification import CARD_FILE, MODEL_FOLDER, Classifier
from recognizer.packing import pack, pack_folder, unpack

FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)


def test_the_same_files_give_the_same_bytes() -> None:
    assert pack({"b": b"2", "a": b"1"}) == pack({"a": b"1", "b": b"2"})
    assert unpack(pack({"a": b"1", "b": b"2"})) == {"a": b"1", "b": b"2"}


def test_a_packed_model_reads_as_the_folder_does() -> None:
    packed = Classifier.from_files(unpack(pack_folder(MODEL_FOLDER)))
    assert np.array_equal(packed.classify(FACES), Classifier.load().classify(FACES))


def test_embeddings_come_with_what_would_be_shown() -> None:
    classifier = Classifier.load()
    shown, embeddings = classifier.embed(FACES)
    assert np.array_equal(shown, classifier.classify(FACES))
    assert embeddings.shape[0] == 3
    assert classifier.embed(FACES[:0])[1].shape == (0, embeddings.shape[1])


@pytest.mark.parametrize("cut", [0, 1, 100, 10_000])
def test_what_was_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="not a packed model"):
        unpack(pack_folder(MODEL_FOLDER)[:cut])


def test_files_that_are_no_model_are_refused() -> None:
    files = unpack(pack_folder(MODEL_FOLDER))
    for fault in ({CARD_FILE: b"{}"}, {CARD_FILE: b"\xff"}, {"expression.tflite": b"no network"}):
        with pytest.raises(ModelError):
            Classifier.from_files(files | fault)
    with pytest.raises(ModelError):
        Classifier.from_files({CARD_FILE: files[CARD_FILE]})
