"""Figures for Prometheus, from the events of the log."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bots.serving.measures import Measures

PHOTO = {"event": "photo_read", "platform": "web", "faces": 2, "model": "m", "decode_ms": 4.0, "classify_ms": 20.0}


def figures(measures: Measures) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(measures.exposition().decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_photos_faces_and_stages_are_counted() -> None:
    measures = Measures()
    for _ in range(3):
        measures.note("info", PHOTO)
    found = figures(measures)
    assert found["mugmoji_photos_total", "web"] == 3
    assert found["mugmoji_faces_total", "web"] == 6
    assert found["mugmoji_stage_seconds_sum", "classify"] == pytest.approx(0.06)


def test_taps_and_their_agreement_are_counted() -> None:
    measures = Measures()
    for agrees in (True, True, False, True):
        measures.note("info", {"event": "tap_kept", "platform": "telegram", "agrees": agrees})
    assert figures(measures)["mugmoji_agreement",] == 0.75


def test_refusals_limits_and_errors_are_counted() -> None:
    measures = Measures()
    measures.note("info", {"event": "photo_refused", "platform": "web", "code": "not_an_image"})
    measures.note("info", {"event": "telegram_asks_to_wait", "platform": "telegram"})
    measures.note("warning", {"event": "discord_refused", "status": 429})
    measures.note("warning", {"event": "discord_refused", "status": 403})
    measures.note("error", {"event": "task_died"})
    found = figures(measures)
    assert found["mugmoji_refusals_total", "not_an_image", "web"] == 1
    assert found["mugmoji_platform_limits_total", "telegram"] == 1
    assert found["mugmoji_platform_limits_total", "discord"] == 1
    assert found["mugmoji_errors_total", "task_died"] == 1


@pytest.mark.parametrize(
    "facts", [{}, {"event": "photo_read"}, {**PHOTO, "faces": "many"}, {**PHOTO, "decode_ms": None}, {"event": None}]
)
def test_an_event_that_is_not_as_expected_breaks_nothing(facts: dict[str, Any]) -> None:
    measures = Measures()
    measures.note("info", facts)
    measures.note("error", {"event": "what a person wrote"})
    assert ("mugmoji_errors_total", "what a person wrote") not in figures(measures)


def test_queue_and_model_are_as_they_are_now() -> None:
    measures, version = Measures(), ["one"]
    measures.watch(lambda: 7, lambda: version[0])
    assert figures(measures)["mugmoji_queue_length",] == 7
    version[0] = "two"
    found = figures(measures)
    assert ("mugmoji_model", "one") not in found
    assert found["mugmoji_model", "two"] == 1
