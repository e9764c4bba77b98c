"""What is written for Docker, Compose and systemd agrees with the settings and with itself."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.files import (
    ROOT,
    compose,
    dockerfile,
    example,
    image_environment,
    stop_after_s,
    unit,
    unit_environment,
)
from training.feedback.worker import STOPPED_WITHIN_S

_OF_PYTHON = {"PATH", "HOME", "TMPDIR", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONSAFEPATH"}


def _seconds(text: str) -> float:
    return float(text.removesuffix("s"))


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("the image", set(image_environment())),
        ("compose", set(compose()["services"]["bot"]["environment"])),
        ("the unit", set(unit_environment())),
    ],
)
def test_every_variable_that_is_set_is_a_setting(place: str, names: set[str]) -> None:
    assert names - _OF_PYTHON <= set(example())


def test_what_compose_asks_of_the_env_file_is_named_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    text = (ROOT / ".env.example").read_text()
    assert asked
    assert [name for name in asked if not re.search(rf"^#? ?{name}=", text, re.MULTILINE)] == []


def test_the_bot_has_time_to_answer_what_it_has_in_hand_before_it_is_killed() -> None:
    assert _seconds(compose()["services"]["bot"]["stop_grace_period"]) >= stop_after_s() + 5
    assert _seconds(unit()["TimeoutStopSec"][0]) >= stop_after_s() + 5


def test_the_trainer_waits_for_orders_again_after_a_failure_and_has_time_to_stop_one() -> None:
    trainer = compose()["services"]["trainer"]
    assert trainer["command"] == ["python", "-m", "training", "work"]
    assert trainer["restart"] == "unless-stopped"
    assert _seconds(trainer["stop_grace_period"]) >= STOPPED_WITHIN_S + 5
    assert any(each.endswith(f":{trainer['environment']['FER2013_DIR']}:ro") for each in trainer["volumes"])


def test_ports_are_the_same_everywhere() -> None:
    image, bot = image_environment(), compose()["services"]["bot"]
    [exposed] = [rest.split() for name, rest in dockerfile() if name == "EXPOSE"]
    assert exposed == [image["WEB_PORT"], image["OPS_PORT"]]
    assert [mapping.split(":")[-1] for mapping in bot["ports"]] == exposed
    assert [str(bot["environment"][name]) for name in ("WEB_PORT", "OPS_PORT")] == exposed
    assert example()["WEB_PORT"] == image["WEB_PORT"]


def test_only_this_machine_reaches_what_compose_opens() -> None:
    assert all(mapping.startswith("127.0.0.1:") for mapping in compose()["services"]["bot"]["ports"])
    assert "ports" not in compose()["services"]["database"]


@pytest.mark.parametrize("service", compose()["services"].values(), ids=compose()["services"])
def test_every_service_is_hardened(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert not any("docker.sock" in str(each) for each in service["volumes"])


def test_every_image_ends_as_a_user_without_rights() -> None:
    stages: dict[str, list[str]] = {}
    for name, rest in dockerfile():
        if name == "FROM":
            stages[rest.split()[-1]] = users = []
        elif name == "USER":
            users.append(rest)
    for target in (service["build"]["target"] for service in compose()["services"].values() if "build" in service):
        assert stages[target] == ["10001:10001"]
    assert list(stages)[-1] == "serving"


def test_what_the_image_copies_is_there_and_is_sent_to_the_engine() -> None:
    sources = [
        source for name, rest in dockerfile() if name == "COPY" and "--from" not in rest for source in rest.split()[:-1]
    ]
    sent = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert all((ROOT / source).exists() for source in sources)
    assert sorted(sources) == sorted(sent)


def test_nothing_is_sent_to_the_engine_but_what_is_named() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"


@pytest.mark.parametrize(
    "path", ["Dockerfile", "compose.yaml", "deploy/mugmoji.service", ".dockerignore", "deploy/requirements-serving.txt"]
)
def test_no_secret_and_no_address_of_a_registry_is_in_them(path: str) -> None:
    text = (ROOT / path).read_text()
    assert re.findall(r"index-url|find-links|https?://(?!127\.0\.0\.1)", text) == []
    assert re.findall(r"(?:TOKEN|SECRET|PASSWORD|KEY)=\S", text) == []


def test_the_unit_writes_to_its_own_folder_only() -> None:
    [folder] = unit()["StateDirectory"]
    assert unit()["WorkingDirectory"] == [unit_environment()["HOME"]] == [f"/var/lib/{folder}"]
    assert not Path(example()["DATA_DIR"]).is_absolute()
    assert unit()["ProtectSystem"] == ["strict"]
    assert "ReadWritePaths" not in unit()


def test_a_wrong_setting_does_not_make_the_unit_start_it_over_and_over() -> None:
    assert unit()["RestartPreventExitStatus"] == ["2 3"]


def test_the_operators_page_leads_to_the_unit() -> None:
    assert "deploy/mugmoji.service" in Path(ROOT / "docs" / "operations.md").read_text()


def test_no_code_is_looked_for_where_the_bot_writes() -> None:
    assert image_environment()["PYTHONSAFEPATH"] == unit_environment()["PYTHONSAFEPATH"] == "1"
