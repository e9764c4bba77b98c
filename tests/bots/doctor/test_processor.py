"""How fast this machine is."""

from types import SimpleNamespace

import archspec.cpu.detect
import pytest

from bots.doctor import processor
from bots.doctor.findings import Severity
from bots.doctor.processor import check_processor, drawn_face, photos_a_second
from recognizer import Recognizer
from tests.bots.doctor.conftest import Made


def test_it_is_measured_on_a_photo_with_one_big_face(recognizer: Recognizer) -> None:
    [face] = recognizer.read(drawn_face()).faces
    assert face.box.width > 300
    assert photos_a_second() > 0


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["avx2", "avx512_vnni"], "AVX-512 VNNI"),
        (["avx_vnni"], "AVX-VNNI"),
        (["asimddp"], "dot products"),
        (["avx2"], "no VNNI or dot products: about 9 photos a second"),
    ],
)
def test_its_instruction_sets_and_its_speed_are_named(
    made: Made, monkeypatch: pytest.MonkeyPatch, flags: list[str], named: str
) -> None:
    monkeypatch.setattr(archspec.cpu, "host", lambda: SimpleNamespace(name="any", features={"avx2"}))
    monkeypatch.setattr(archspec.cpu.detect, "detected_info", lambda: SimpleNamespace(features=set(flags)))
    monkeypatch.setattr(processor, "photos_a_second", lambda: 9.0)
    [found] = check_processor(made(workers=1))
    assert (found.severity, named in found.fact) == (Severity.OK, True)


def test_a_slow_one_is_a_warning(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "photos_a_second", lambda: 1.6)
    [found] = check_processor(made(workers=1))
    assert found.severity is Severity.WARNING


def test_more_workers_than_cores_are_a_warning(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "photos_a_second", lambda: 30.0)
    monkeypatch.setattr(processor, "_cores", lambda: 2)
    assert [each.severity for each in check_processor(made(workers=2))] == [Severity.OK]
    assert [each.severity for each in check_processor(made(workers=3))] == [Severity.OK, Severity.WARNING]
