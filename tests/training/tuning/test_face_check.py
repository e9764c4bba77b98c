from training.data import Faces
from training.tuning.face_check import derive


def test_more_faces_than_there_are_is_all_of_them(faces: Faces) -> None:
    found = derive(faces[:8], count=12, seed=5)
    assert min(found.true, found.false) > 0
    assert len(found.weights) == 4
