"""Every request of the bot in these tests, and what the emulator sends it, must fit what Discord says of its API."""

from collections.abc import Iterator

import pytest

from tests.contracts.discord import contract_if_there
from tests.contracts.discord_watch import watch


@pytest.fixture(autouse=True)
def _fitting_contract(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail the test where something does not fit; check nothing where the description is not there."""
    contract = contract_if_there()
    violations = watch(contract, monkeypatch) if contract is not None else []
    yield
    if violations:
        pytest.fail("\n".join(sorted(set(violations))), pytrace=False)
