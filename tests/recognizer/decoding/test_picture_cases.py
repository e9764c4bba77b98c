"""One portrait in many files: each is read as the portrait, or refused for the right reason."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from recognizer import PhotoError, Reading, Recognizer
from tests.recognizer.decoding.picture_cases import Case, all_cases, plain

CASES = all_cases()


@pytest.fixture(scope="module")
def isolated() -> Iterator[Recognizer]:
    """Return a recogniser as the bots have it: where strangers' pictures are worked on, memory and time are limited."""
    recognizer = Recognizer.load(is_isolated=True)
    yield recognizer
    recognizer.close()


@pytest.fixture(scope="module")
def twin(recognizer: Recognizer) -> Reading:
    return recognizer.read(plain())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_file_is_read_as_the_portrait_or_refused(isolated: Recognizer, twin: Reading, case: Case) -> None:
    if case.needs and find_spec(case.needs) is None:
        pytest.skip(f"{case.needs} is not installed")
    data = case.make()
    if case.problem is not None:
        with pytest.raises(PhotoError) as error:
            isolated.read(data)
        assert error.value.code == case.problem
        return
    photo = isolated.decode(data)
    shape = (photo.pixels.shape[1] * photo.scale, photo.pixels.shape[0] * photo.scale)
    faces, expected = isolated.read(data).faces, twin.faces
    assert len(faces) == len(expected) == 1
    across, down = (long / 400 for long in shape)
    box, twin_box = faces[0].box, expected[0].box
    assert box.x / across == pytest.approx(twin_box.x, abs=0.1 * twin_box.width)
    assert box.y / down == pytest.approx(twin_box.y, abs=0.1 * twin_box.width)
    assert box.width / across == pytest.approx(twin_box.width, rel=0.15)
    assert faces[0].emotion == expected[0].emotion


def test_there_are_many_files() -> None:
    assert len(CASES) >= 120
    assert len({case.name for case in CASES}) == len(CASES)
