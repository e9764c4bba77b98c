import numpy as np

from recognizer.classification import Classifier
from recognizer.finding.detection import FaceDetector
from tests.training.faces import easy_faces
from training.data import Faces
from training.reporting.face_sizes import SIDES, by_face_size


def test_large_faces_are_found_in_photos_and_read(faces: Faces) -> None:
    sizes = by_face_size(Classifier.load(), FaceDetector.load(), faces[:4], np.random.default_rng(0))
    assert [size.side for size in sizes] == list(SIDES)
    assert sizes[0].found.count >= 3
    assert all(size.in_photo.n == size.as_given.n == size.found.count for size in sizes)


def test_what_is_no_face_is_not_found_and_scores_nothing() -> None:
    sizes = by_face_size(Classifier.load(), FaceDetector.load(), easy_faces(1), np.random.default_rng(0))
    assert all(size.found.count == size.in_photo.n == 0 for size in sizes)
