"""Optional formats and parts."""

from importlib.util import find_spec

import pytest
from PIL import features

from bots.doctor import formats
from bots.doctor.findings import Severity
from bots.doctor.formats import check_formats


@pytest.mark.parametrize(
    ("package", "extra"),
    [("pillow_heif", "heic"), ("imagecodecs", "jxl"), ("scipy", "retraining"), ("rich", "retraining")],
)
def test_a_missing_package_is_a_warning_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, package: str, extra: str
) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == package else find_spec("json"))
    monkeypatch.setattr(features, "check", lambda _: True)
    [found] = check_formats()
    assert (found.severity, f"[{extra}]" in found.advice) == (Severity.WARNING, True)


def test_with_everything_installed_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda _: find_spec("json"))
    monkeypatch.setattr(features, "check", lambda _: True)
    assert [each.severity for each in check_formats()] == [Severity.OK]


def test_a_pillow_without_avif_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda _: find_spec("json"))
    monkeypatch.setattr(features, "check", lambda _: False)
    assert ["AVIF" in each.fact for each in check_formats()] == [True]
