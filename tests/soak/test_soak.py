"""A hundredth of each part of the soak that does not measure speed."""

import pytest

from tests.soak import flood, kills, nonsense
from tests.soak.finding import Extent, Finding
from tests.waiting import PATIENCE_S


def _missed(findings: list[Finding]) -> list[Finding]:
    return [each for each in findings if not each.is_met]


async def test_a_kill_in_a_burst_loses_nothing() -> None:
    assert _missed(await kills.run(Extent(0.02))) == []


@pytest.mark.timeout(300)
async def test_nonsense_brings_nothing_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonsense, "LONGEST_S", PATIENCE_S)  # the first pictures wait for the processes to start
    assert _missed(await nonsense.run(Extent(0.01))) == []


@pytest.mark.timeout(300)
async def test_everybody_in_a_small_burst_is_answered_once() -> None:
    once, _slower = await flood.run(Extent(0.01))
    assert once.is_met, once
