"""The files with which the bot is deployed, read as data."""

import re
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

ROOT = Path(__file__).parents[2]


def example() -> dict[str, str]:
    """Return the settings of `.env.example` with their defaults."""
    return {name: value or "" for name, value in dotenv_values(ROOT / ".env.example").items()}


def stop_after_s() -> float:
    """Return the seconds for which the bot goes on when it is told to stop."""
    return float(example()["STOP_AFTER"])


def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each with what follows it, on one line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", "")
    return [(name, rest.strip()) for line in text.splitlines() if line for name, _, rest in [line.partition(" ")]]


def image_environment() -> dict[str, str]:
    """Return the environment that the images set."""
    pairs = (pair for name, rest in dockerfile() if name == "ENV" for pair in rest.split())
    return dict(pair.split("=", 1) for pair in pairs)


def compose() -> dict[str, Any]:
    """Return the services of `compose.yaml` and what belongs to them."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


def unit() -> dict[str, list[str]]:
    """Return the values of each name in the systemd unit."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "deploy" / "mugmoji.service").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def unit_environment() -> dict[str, str]:
    """Return the environment that the systemd unit sets."""
    return dict(pair.split("=", 1) for value in unit()["Environment"] for pair in value.split())
