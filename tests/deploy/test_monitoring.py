"""The example dashboard and alerts ask for figures that the bot has, by their names and labels."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bots.serving.measures import Measures
from tests.deploy.files import ROOT, image_environment

DASHBOARD = ROOT / "deploy" / "grafana" / "mugmoji.json"
PROMETHEUS = ROOT / "deploy" / "prometheus"
_OF_PROMETHEUS = {"job", "instance", "le"}
_NAMES = re.compile(r"\b((?:mugmoji|process)_\w+)")
_LABELS = re.compile(r"(\w+)=~?\"|by \(([\w, ]+)\)|\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


def _figures() -> dict[str, set[str]]:
    """Return the labels of every figure that a bot has which did and met everything."""
    measures = Measures()
    measures.watch(lambda: 1, lambda: "a-version")
    photo = {"event": "photo_read", "platform": "web", "faces": 1, "decode_ms": 1.0}
    for level, facts in (
        ("info", photo),
        ("info", {"event": "photo_refused", "platform": "web", "code": "busy"}),
        ("info", {"event": "tap_kept", "platform": "web", "agrees": True}),
        ("info", {"event": "telegram_asks_to_wait", "platform": "telegram"}),
        ("error", {"event": "answer_lost", "platform": "telegram"}),
        ("warning", {"event": "console_refused"}),
    ):
        measures.note(level, facts)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(measures.exposition().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _questions() -> Iterator[tuple[str, str]]:
    """Yield every expression, with what its legend says."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]
    for each in board["templating"]["list"]:
        yield each["query"], ""
    for group in yaml.safe_load((PROMETHEUS / "mugmoji.rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"], rule["annotations"]["summary"]


@pytest.mark.parametrize(("expression", "legend"), [*_questions()])
def test_every_figure_that_is_asked_for_is_there_with_its_labels(expression: str, legend: str) -> None:
    figures, names = _figures(), _NAMES.findall(expression)
    assert [name for name in names if name not in figures] == []
    known = set().union(*(figures[name] for name in names)) | _OF_PROMETHEUS
    asked = {
        label.strip()
        for found in _LABELS.findall(f"{expression} {legend}")
        for part in found
        for label in part.split(",")
    }
    assert asked - {""} <= known


def test_every_figure_of_the_bot_is_on_the_dashboard() -> None:
    asked = {name for expression, _ in _questions() for name in _NAMES.findall(expression)}
    parts = ("_created", "_bucket", "_sum", "_count")
    own = {name for name in _figures() if name.startswith("mugmoji_") and not name.endswith(parts)}
    assert own <= asked
    assert any(name.startswith("mugmoji_stage_seconds") for name in asked)


def test_panels_do_not_overlap_and_are_numbered() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    places = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
    assert [panel["id"] for panel in panels] == [*range(1, len(panels) + 1)]


def test_prometheus_asks_where_the_image_answers() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    [job] = config["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    assert job["static_configs"][0]["targets"] == [f"127.0.0.1:{image_environment()['OPS_PORT']}"]
    assert all((PROMETHEUS / name).is_file() for name in config["rule_files"])
    assert f'"{job["job_name"]}"' in (PROMETHEUS / "mugmoji.rules.yml").read_text()
