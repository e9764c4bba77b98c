"""Access to the console."""

import pytest

from bots.console.sessions import MOST_NAME, PASS_LASTS_S, LoginRefusedError, Sessions

TOKEN, HERE, THERE = "the right token", "127.0.0.1", "203.0.113.7"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> Sessions:
    return Sessions(TOKEN, clock)


def guess_wrongly(gate: Sessions, client: str) -> str:
    with pytest.raises(LoginRefusedError) as refused:
        gate.admit(client, "wrong", "Mallory")
    return str(refused.value)


def test_the_token_gives_a_pass_with_the_name(gate: Sessions) -> None:
    assert gate.holder(gate.admit(HERE, f" {TOKEN}\n", "  Ada   Lovelace ")) == "Ada Lovelace"


@pytest.mark.parametrize("name", ["", "   ", "x" * (MOST_NAME + 1)])
def test_an_admin_has_a_name(gate: Sessions, name: str) -> None:
    with pytest.raises(LoginRefusedError, match="name"):
        gate.admit(HERE, TOKEN, name)


@pytest.mark.parametrize("token", ["", "wrong", "the right toke", "ключ"])
def test_another_token_gives_none(gate: Sessions, token: str) -> None:
    with pytest.raises(LoginRefusedError, match="not the token") as refused:
        gate.admit(HERE, token, "Ada")
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("kept", [None, {}, "", "made up", "e30.made.up", {"name": "Ada", "proof": "made up"}])
def test_what_is_no_pass_lets_nobody_in(gate: Sessions, kept: object) -> None:
    assert gate.holder(kept) is None


@pytest.mark.parametrize("part", [0, 1, 2], ids=["name", "time", "signature"])
def test_a_changed_pass_is_none(gate: Sessions, part: int) -> None:
    parts = gate.admit(HERE, TOKEN, "Ada").split(".")
    other = Sessions("another token", lambda: 2_000.0).admit(HERE, "another token", "Eve").split(".")
    assert gate.holder(".".join((*parts[:part], other[part], *parts[part + 1 :]))) is None


def test_a_pass_ends_by_itself(gate: Sessions, clock: Clock) -> None:
    kept = gate.admit(HERE, TOKEN, "Ada")
    clock.now += PASS_LASTS_S + 1
    assert gate.holder(kept) is None


def test_a_pass_that_was_given_back_lets_nobody_in(gate: Sessions) -> None:
    kept, another = gate.admit(HERE, TOKEN, "Ada"), gate.admit(HERE, TOKEN, "Ada")
    gate.take_back(kept)
    assert gate.holder(kept) is None
    assert gate.holder(another) == "Ada"


def test_a_new_token_ends_every_pass(gate: Sessions, clock: Clock) -> None:
    assert Sessions("a new token", clock).holder(gate.admit(HERE, TOKEN, "Ada")) is None


def test_wrong_tries_have_to_wait_longer_and_longer(gate: Sessions, clock: Clock) -> None:
    for _ in range(3):
        assert "not the token" in guess_wrongly(gate, THERE)
    assert "wait 2 seconds" in guess_wrongly(gate, THERE)
    clock.now += 2.1
    assert "not the token" in guess_wrongly(gate, THERE)
    assert "wait 4 seconds" in guess_wrongly(gate, THERE)
    assert gate.holder(gate.admit(HERE, TOKEN, "Ada")) == "Ada"  # others need not wait


def test_the_right_token_has_to_wait_too_and_then_clears_the_slate(gate: Sessions, clock: Clock) -> None:
    for _ in range(3):
        guess_wrongly(gate, HERE)
    with pytest.raises(LoginRefusedError, match="wait"):
        gate.admit(HERE, TOKEN, "Ada")
    clock.now += 3
    gate.admit(HERE, TOKEN, "Ada")
    assert "not the token" in guess_wrongly(gate, HERE)


def test_a_guesser_with_many_addresses_is_slowed_down_too(gate: Sessions, clock: Clock) -> None:
    for number in range(30):
        guess_wrongly(gate, f"203.0.113.{number}")
    assert "many places" in guess_wrongly(gate, "198.51.100.1")
    clock.now += 61
    assert "not the token" in guess_wrongly(gate, "198.51.100.1")
