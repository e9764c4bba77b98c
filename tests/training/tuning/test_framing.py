import pytest

from recognizer.finding.detection import FaceDetector
from tests.training.faces import easy_faces
from training.data import DataError, Faces
from training.tuning.framing import derive


def test_eyes_and_mouth_of_training_faces_fall_where_faces_have_them(faces: Faces) -> None:
    framing = derive(FaceDetector.load(), faces[:40])
    assert framing.found > 0.6
    assert framing.keypoints.shape == (6, 2)
    right_eye, left_eye, _, mouth = framing.keypoints[:4]
    assert 8 < right_eye[0] < 20
    assert 28 < left_eye[0] < 40
    assert 12 < right_eye[1] < 24
    assert 30 < mouth[1] < 44


def test_patterns_without_a_face_are_refused() -> None:
    with pytest.raises(DataError, match="no face among 3"):
        derive(FaceDetector.load(), easy_faces(3))
