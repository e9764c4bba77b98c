"""Access to the console."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bots.console.account_file import AccountFile
from bots.console.accounts import Accounts
from bots.console.names import MOST_NAME
from bots.console.pass_file import PassFile
from bots.console.sessions import MOST_IN_A_ROW, PASS_LASTS_S, PAUSE_S, LoginRefusedError, Sessions

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
def file(tmp_path: Path) -> PassFile:
    return PassFile(tmp_path / "passes.json")


@pytest.fixture
def accounts(clock: Clock, tmp_path: Path) -> Accounts:
    return Accounts(AccountFile(tmp_path / "accounts.json"), clock)


@pytest.fixture
def gate(clock: Clock, file: PassFile, accounts: Accounts) -> Sessions:
    async def sleep(seconds: float) -> None:
        clock.now += seconds
        await asyncio.sleep(0)

    return Sessions(TOKEN, clock, file, accounts, sleep)


async def guess_wrongly(gate: Sessions, client: str) -> None:
    with pytest.raises(LoginRefusedError, match="not the token"):
        await gate.admit(client, "wrong", "Mallory")


async def test_the_token_gives_a_pass_with_the_name(gate: Sessions) -> None:
    assert gate.holder(await gate.admit(HERE, f" {TOKEN}\n", "  Ada   Lovelace ")) == "Ada Lovelace"


@pytest.mark.parametrize("name", ["", "   ", "x" * (MOST_NAME + 1)])
async def test_an_admin_has_a_name(gate: Sessions, name: str) -> None:
    with pytest.raises(LoginRefusedError, match="name"):
        await gate.admit(HERE, TOKEN, name)


@pytest.mark.parametrize("token", ["", "wrong", "the right toke", "ключ"])
async def test_another_token_gives_none(gate: Sessions, token: str) -> None:
    with pytest.raises(LoginRefusedError, match="not the token") as refused:
        await gate.admit(HERE, token, "Ada")
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("kept", [None, {}, "", "made up", "e30.made.up", {"name": "Ada", "proof": "made up"}])
def test_what_is_no_pass_lets_nobody_in(gate: Sessions, kept: object) -> None:
    assert gate.holder(kept) is None


async def test_a_pass_ends_by_itself_also_over_a_restart(
    gate: Sessions, clock: Clock, file: PassFile, accounts: Accounts
) -> None:
    kept = await gate.admit(HERE, TOKEN, "Ada")
    assert Sessions(TOKEN, clock, file, accounts).holder(kept) == "Ada"
    clock.now += PASS_LASTS_S + 1
    assert gate.holder(kept) is None
    assert Sessions(TOKEN, clock, file, accounts).holder(kept) is None


async def test_a_pass_that_was_given_back_lets_nobody_in_also_after_a_restart(
    gate: Sessions, clock: Clock, file: PassFile, accounts: Accounts
) -> None:
    kept, another = await gate.admit(HERE, TOKEN, "Ada"), await gate.admit(HERE, TOKEN, "Ada")
    gate.take_back(kept)
    for each in (gate, Sessions(TOKEN, clock, file, accounts)):
        assert each.holder(kept) is None
        assert each.holder(another) == "Ada"


async def test_a_new_token_ends_every_pass(gate: Sessions, clock: Clock, file: PassFile, accounts: Accounts) -> None:
    assert Sessions("a new token", clock, file, accounts).holder(await gate.admit(HERE, TOKEN, "Ada")) is None


def test_the_file_holds_no_pass_and_is_its_owners_alone(gate: Sessions, tmp_path: Path) -> None:
    kept = asyncio.run(gate.admit(HERE, TOKEN, "Ada"))
    [path] = tmp_path.iterdir()
    assert kept not in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o077 == 0


async def test_a_logout_that_cannot_be_stored_does_not_come_back(
    gate: Sessions, clock: Clock, file: PassFile, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await gate.admit(HERE, TOKEN, "Ada")

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    gate.take_back(kept)
    assert Sessions(TOKEN, clock, file, accounts).holder(kept) is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', '{"a": {"name": "Ada"}}'])
def test_a_damaged_file_lets_nobody_in(tmp_path: Path, clock: Clock, accounts: Accounts, content: str) -> None:
    (tmp_path / "passes.json").write_text(content, encoding="utf-8")
    assert Sessions(TOKEN, clock, PassFile(tmp_path / "passes.json"), accounts).holder("a") is None


async def test_wrong_tries_have_to_wait_for_each_other(gate: Sessions, clock: Clock) -> None:
    begun = clock.now
    for _ in range(3):
        await guess_wrongly(gate, THERE)
    assert clock.now == begun
    await asyncio.gather(*(guess_wrongly(gate, THERE) for _ in range(10)))
    assert clock.now == begun + 10 * PAUSE_S
    await gate.admit(HERE, TOKEN, "Ada")
    assert clock.now == begun + 10 * PAUSE_S  # others need not wait


@pytest.mark.parametrize("wrong", [3, 30, 300])
async def test_however_many_were_wrong_the_right_token_is_taken(gate: Sessions, wrong: int) -> None:
    for _ in range(wrong):
        await guess_wrongly(gate, HERE)
    assert gate.holder(await gate.admit(HERE, TOKEN, "Ada")) == "Ada"


async def test_only_so_many_attempts_wait_for_each_place(gate: Sessions) -> None:
    for _ in range(3):
        await guess_wrongly(gate, THERE)
    tried = [gate.admit(THERE, "wrong", "Mallory") for _ in range(MOST_IN_A_ROW + 5)]
    refused = await asyncio.gather(*tried, return_exceptions=True)
    assert sum("Too many attempts" in str(each) for each in refused) == 5
    assert gate.holder(await gate.admit(HERE, TOKEN, "Ada")) == "Ada"


async def test_a_guesser_with_many_addresses_raises_one_alarm_a_minute_and_locks_nobody_out(
    gate: Sessions, clock: Clock
) -> None:
    with capture_logs() as lines:
        for number in range(60):
            await guess_wrongly(gate, f"203.0.113.{number}")
        clock.now += 61
        assert gate.holder(await gate.admit("198.51.100.1", TOKEN, "Ada")) == "Ada"
    [alarm] = [line for line in lines if line["event"] == "console_under_attack"]
    assert alarm["last_from"] == "203.0.113.29"
    assert "wrong" not in alarm.values()


@pytest.fixture
async def token_of_ada(gate: Sessions, accounts: Accounts) -> str:
    return (await gate.join(THERE, accounts.invite("Ada", "Grace"))).token


async def test_the_token_of_an_account_lets_in_under_its_name(gate: Sessions, token_of_ada: str) -> None:
    assert gate.holder(await gate.admit(HERE, f" {token_of_ada}\n", "  ADA ")) == "Ada"
    with pytest.raises(LoginRefusedError, match="not the token"):
        await gate.admit(HERE, token_of_ada, "Grace")


@pytest.mark.parametrize("name", ["Ada", "ada", " ADA ", "\uff21da"])
async def test_the_shared_token_does_not_let_in_under_the_name_of_an_account(
    gate: Sessions, accounts: Accounts, token_of_ada: str, name: str
) -> None:
    with pytest.raises(LoginRefusedError, match="belongs to an account"):
        await gate.admit(HERE, TOKEN, name)
    accounts.end(accounts.open()[0], "Grace")
    with pytest.raises(LoginRefusedError, match="belongs to an account"):
        await gate.admit(HERE, TOKEN, name)
    with pytest.raises(LoginRefusedError, match="not the token"):
        await gate.admit(HERE, token_of_ada, name)


async def test_from_the_first_account_on_what_is_not_proven_is_marked(gate: Sessions, accounts: Accounts) -> None:
    before = await gate.admit(HERE, TOKEN, "Ada")
    assert gate.holder(before) == "Ada"
    joined = await gate.join(THERE, accounts.invite("Ada", "Ada"))
    assert gate.holder(joined.kept) == "Ada"
    assert gate.holder(before) == "Ada (shared token)"
    assert gate.holder(await gate.admit(HERE, TOKEN, "Grace")) == "Grace (shared token)"
    with pytest.raises(LoginRefusedError, match="the console adds it"):
        await gate.admit(HERE, TOKEN, "Ada (Shared  token)")


async def test_an_account_that_ended_ends_all_its_passes_and_no_others(
    gate: Sessions, clock: Clock, file: PassFile, accounts: Accounts, token_of_ada: str
) -> None:
    hers, another = await gate.admit(HERE, token_of_ada, "Ada"), await gate.admit(HERE, TOKEN, "Grace")
    assert Sessions(TOKEN, clock, file, accounts).holder(hers) == "Ada"
    accounts.end(accounts.open()[0], "Grace")
    await gate.join(THERE, accounts.invite("Ada", "Grace"))
    for each in (gate, Sessions(TOKEN, clock, file, accounts)):
        assert each.holder(hers) is None
        assert each.holder(another) == "Grace (shared token)"


async def test_guessing_links_has_to_wait_as_guessing_tokens_does(
    gate: Sessions, accounts: Accounts, clock: Clock
) -> None:
    link = accounts.invite("Ada", "Grace")
    begun = clock.now
    for number in range(4):
        with pytest.raises(LoginRefusedError, match="used or taken back, or is over"):
            await gate.invited(THERE, f"guess {number}")
        with pytest.raises(LoginRefusedError, match="used or taken back, or is over"):
            await gate.join(THERE, f"guess {number}")
    assert clock.now == begun + 5 * PAUSE_S
    assert await gate.invited(HERE, link) == "Ada"
    assert (await gate.join(HERE, link)).name == "Ada"
