"""Run every check, also those after one that breaks."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bots.doctor.backups import check_backups
from bots.doctor.clock import check_clock
from bots.doctor.crops_key import check_crops_key
from bots.doctor.database import check_database
from bots.doctor.findings import Finding, problem
from bots.doctor.formats import check_formats
from bots.doctor.memory import check_memory
from bots.doctor.models import check_models
from bots.doctor.permissions import check_permissions
from bots.doctor.platforms import check_platforms
from bots.doctor.ports import check_ports
from bots.doctor.processor import check_processor
from bots.doctor.replicas import check_replicas
from bots.doctor.settings import check_settings
from bots.doctor.space import check_space
from bots.doctor.tokens import check_tokens
from bots.settings import Settings
from db.settings import SettingsError, load_settings

_Check = Callable[[], list[Finding]]


def examine(backups: Path) -> Iterator[Finding]:
    """Yield what every check finds, as it is found. backups: the folder where backups of the database are."""
    try:
        settings = load_settings(Settings)
    except SettingsError as error:
        yield problem("settings", str(error), "Correct them (.env.example explains each) and call this again.")
        yield from _found_by(_without_settings())
        return
    yield from _found_by(_with_settings(settings, backups))


def _without_settings() -> dict[str, _Check]:
    return {"models": check_models, "memory": check_memory, "formats": check_formats}


def _with_settings(settings: Settings, backups: Path) -> dict[str, _Check]:
    return {
        "settings": partial(check_settings, settings),
        "tokens": partial(check_tokens, settings),
        "replicas": partial(check_replicas, settings),
        "database": partial(check_database, settings),
        "CROPS_KEY": partial(check_crops_key, settings),
        "backups": partial(check_backups, settings, backups),
        "permissions": partial(check_permissions, settings),
        "disk": partial(check_space, settings),
        "ports": partial(check_ports, settings),
        "clock": partial(check_clock, settings),
        "platforms": partial(check_platforms, settings),
        **_without_settings(),
        "processor": partial(check_processor, settings),
    }


def _found_by(checks: dict[str, _Check]) -> Iterator[Finding]:
    for subject, check in checks.items():
        try:
            yield from check()
        except Exception as error:
            fact = f"This could not be examined ({type(error).__name__})."
            yield problem(subject, fact, "Please report this as a fault of Mugmoji; the other lines are not affected.")
