"""Accounts of the console's admins, and the links that make them."""

import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bots.console.account_file import AccountFile
from bots.console.accounts import INVITATION_LASTS_S, MOST_ACCOUNTS, MOST_INVITATIONS, AccountError, Accounts


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.json"


@pytest.fixture
def accounts(path: Path, clock: Clock) -> Accounts:
    return Accounts(AccountFile(path), clock)


def join(accounts: Accounts, name: str) -> str:
    made = accounts.join(accounts.invite(name, "Grace"))
    assert made is not None
    account, token = made
    assert account.name == name
    return token


def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)


def test_a_link_works_once(accounts: Accounts) -> None:
    link = accounts.invite("  Ada  Lovelace", "Grace")
    assert not accounts.are_used
    for _ in range(3):  # as previews of links do
        found = accounts.invitation(link)
        assert found is not None
        assert found.name == "Ada Lovelace"
    assert accounts.join(link) is not None
    assert accounts.invitation(link) is None
    assert accounts.join(link) is None
    assert [(each.name, each.invited_by) for each in accounts.open()] == [("Ada Lovelace", "Grace")]
    assert accounts.are_used


def test_a_link_is_over_after_its_time(accounts: Accounts, clock: Clock) -> None:
    link = accounts.invite("Ada", "Grace")
    clock.now += INVITATION_LASTS_S - 1
    assert accounts.invitation(link) is not None
    clock.now += 1
    assert accounts.invitation(link) is None
    assert accounts.join(link) is None
    assert accounts.invite("Ada", "Grace") != link


def test_a_link_that_was_taken_back_makes_no_account(accounts: Accounts) -> None:
    link = accounts.invite("Ada", "Grace")
    [invitation] = accounts.invitations()
    accounts.take_back(invitation, "Grace")
    assert accounts.join(link) is None
    with pytest.raises(AccountError, match="taken back"):
        accounts.take_back(invitation, "Grace")


def test_only_the_token_of_an_account_is_its_own(accounts: Accounts) -> None:
    token, other = join(accounts, "Ada"), join(accounts, "Grace")
    found = accounts.of("ADA", token)
    assert found is not None
    assert found.name == "Ada"
    for name, wrong in (("Ada", other), ("Grace", token), ("Ada", ""), ("Ada", found.token_hash)):
        assert accounts.of(name, wrong) is None


@pytest.mark.parametrize("name", ["Stra\u00dfe", "STRASSE", "strasse ", "\uff33trasse"])
def test_a_name_is_given_once(accounts: Accounts, name: str) -> None:
    join(accounts, "Strasse")
    with pytest.raises(AccountError, match="another name"):
        accounts.invite(name, "Grace")


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "A\u202eda", "Ada\x00", "Ada (shared token)"])
def test_a_name_that_nobody_can_read_is_not_invited(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountError, match="Please give a name"):
        accounts.invite(name, "Grace")
    assert accounts.invitations() == ()


def test_an_ended_account_lets_nobody_in_and_its_name_stays_taken(accounts: Accounts) -> None:
    token = join(accounts, "Ada")
    [ada] = accounts.open()
    accounts.end(ada, "Grace")
    assert accounts.of("Ada", token) is None
    assert not accounts.is_open(ada.token_hash)
    assert not accounts.is_open("")
    assert accounts.is_taken("ada")
    assert accounts.are_used
    with pytest.raises(AccountError, match="ended already"):
        accounts.end(ada, "Grace")
    assert join(accounts, "Ada") != token


def test_everything_outlives_a_restart_and_no_secret_is_stored_or_logged(
    accounts: Accounts, path: Path, clock: Clock
) -> None:
    with capture_logs() as lines:
        token, link = join(accounts, "Ada"), accounts.invite("Zo\u00eb", "Ada")
        join(accounts, "Eve")
        accounts.end(accounts.open()[-1], "Ada")
    again = Accounts(AccountFile(path), clock)
    assert (again.open(), again.invitations()) == (accounts.open(), accounts.invitations())
    assert again.of("Ada", token) is not None
    assert again.invitation(link) is not None
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    for secret in (token, link):
        assert secret not in path.read_text(encoding="utf-8")
        assert secret not in str(lines)
    assert [line["event"] for line in lines[-2:]] == ["console_joined", "console_account_ended"]
    assert (lines[-1]["account"], lines[-1]["by"]) == ("Eve", "Ada")


def test_so_many_are_open_at_once_and_there_are_so_many_at_all(accounts: Accounts) -> None:
    for number in range(MOST_INVITATIONS):
        accounts.invite(f"Invited {number}", "Grace")
    with pytest.raises(AccountError, match="take one back first"):
        accounts.invite("Ada", "Grace")
    for invitation in accounts.invitations():
        accounts.take_back(invitation, "Grace")
    for number in range(MOST_ACCOUNTS):
        join(accounts, f"Admin {number}")
    with pytest.raises(AccountError, match="That is the most"):
        accounts.invite("Ada", "Grace")
    accounts.end(accounts.open()[0], "Grace")
    join(accounts, "Admin 0")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"accounts": []}', '{"accounts": [{}], "invitations": []}'])
def test_a_damaged_file_is_kept_and_proves_nobodys_name(path: Path, clock: Clock, content: str) -> None:
    path.write_text(content, encoding="utf-8")
    with capture_logs() as lines:
        accounts = Accounts(AccountFile(path), clock)
    assert [line["event"] for line in lines] == ["console_accounts_not_read"]
    assert accounts.are_used
    with pytest.raises(AccountError, match="backup"):
        accounts.invite("Ada", "Grace")
    assert path.read_text(encoding="utf-8") == content


def test_what_cannot_be_stored_lets_nobody_more_in(
    accounts: Accounts, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, link = join(accounts, "Ada"), accounts.invite("Eve", "Ada")
    stored = json.loads(path.read_text(encoding="utf-8"))
    with monkeypatch.context() as patch:
        fill_the_disk(patch)
        with pytest.raises(AccountError, match="could not be stored"):
            accounts.invite("Mallory", "Ada")
        with pytest.raises(AccountError, match="could not be stored"):
            accounts.join(link)
        with pytest.raises(AccountError, match="comes back when the bot restarts"):
            accounts.end(accounts.open()[0], "Eve")
        assert accounts.of("Ada", token) is None
        assert json.loads(path.read_text(encoding="utf-8")) == stored
    assert accounts.join(link) is not None  # not used up by the attempt
