"""Accounts of admins, each with a token of their own, so that a name in the console is proven to be theirs.

Who is in invites the next one by a link that works once. Links and tokens are random and only their hashes are kept.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import replace

import structlog

from bots.console.account_file import Account, AccountFile, AccountFileError, Invitation, Stored
from bots.console.names import NameRefusedError, cleaned, folded

INVITATION_LASTS_S = 48 * 3600
"""After this time a link can no longer be used."""
MOST_ACCOUNTS = 200
"""Accounts, those that have ended included."""
MOST_INVITATIONS = 20
"""Links that are open at once."""
_NOT_STORED = "It could not be stored: check the disk and the permissions of the bot's folder."
_DAMAGED = "The file of accounts is damaged: put back its backup, or remove it and invite everybody anew; then restart."

_log = structlog.get_logger()


class AccountError(Exception):
    """What was asked about an account is not possible; the message says why and what to do."""


class Accounts:
    """Everybody who was invited, and what is open."""

    def __init__(self, file: AccountFile, clock: Callable[[], float]) -> None:
        """clock: returns the seconds since 1970."""
        self._file = file
        self._clock = clock
        self._is_damaged = False
        self._stored = Stored()
        try:
            self._stored = file.read()
        except AccountFileError as error:
            self._is_damaged = True
            _log.error("console_accounts_not_read", reason=str(error))

    @property
    def are_used(self) -> bool:
        """Return whether anybody has or had an account, so that names are to be proven; also if nobody can say."""
        return self._is_damaged or bool(self._stored.accounts)

    def open(self) -> tuple[Account, ...]:
        """Return the accounts that have not ended, oldest first."""
        return tuple(each for each in self._stored.accounts if each.token_hash)

    def invitations(self) -> tuple[Invitation, ...]:
        """Return the links that can be used, oldest first."""
        return tuple(each for each in self._stored.invitations if each.until > self._clock())

    def is_taken(self, name: str) -> bool:
        """Return whether somebody has or had an account of this name, in whatever case it is written."""
        return any(folded(each.name) == folded(name) for each in self._stored.accounts)

    def of(self, name: str, token: str) -> Account | None:
        """Return the account of this name if this is its token."""
        hashed = _hashed(token)
        right = (each for each in self.open() if hmac.compare_digest(each.token_hash, hashed))
        return next((each for each in right if folded(each.name) == folded(name)), None)

    def is_open(self, token_hash: str) -> bool:
        """Return whether the account with this token has not ended."""
        return any(each.token_hash == token_hash for each in self.open())

    def invitation(self, secret: str) -> Invitation | None:
        """Return the invitation whose link has this secret; None if it was used or taken back, or is over."""
        hashed = _hashed(secret)
        return next((each for each in self.invitations() if hmac.compare_digest(each.link_hash, hashed)), None)

    def invite(self, name: str, by: str) -> str:
        """Return the secret of a link for somebody who is to have an account of this name. by: who invites them.

        Who had an account that has ended may be invited again. Raise `AccountError`.
        """
        try:
            name = cleaned(name)
        except NameRefusedError as error:
            raise AccountError(str(error)) from error
        names = (*(each.name for each in self.open()), *(each.name for each in self.invitations()))
        if folded(name) in map(folded, names):
            raise AccountError(f"{name} has an account or an open invitation already. Please give another name.")
        if len(self.invitations()) >= MOST_INVITATIONS:
            raise AccountError(f"{MOST_INVITATIONS} invitations are open. Please take one back first.")
        if len(self._stored.accounts) >= MOST_ACCOUNTS and not self.is_taken(name):
            raise AccountError(f"There are {MOST_ACCOUNTS} accounts, those that have ended included. That is the most.")
        secret = secrets.token_urlsafe(32)
        fresh = Invitation(name, _hashed(secret), by, self._clock() + INVITATION_LASTS_S)
        self._store(replace(self._stored, invitations=(*self.invitations(), fresh)))
        _log.info("console_invited", account=name, by=by)
        return secret

    def take_back(self, invitation: Invitation, by: str) -> None:
        """End an invitation. Raise `AccountError` if it is not open any more, or if that cannot be stored."""
        if invitation not in self.invitations():
            raise AccountError(f"The invitation of {invitation.name} was used or taken back, or is over.")
        self._close(replace(self._stored, invitations=self._without(invitation)))
        _log.info("console_invitation_taken_back", account=invitation.name, by=by)

    def join(self, link: str) -> tuple[Account, str] | None:
        """Use up the link with this secret; return the account that was made and its token.

        None if the link cannot be used. Raise `AccountError` if it cannot be stored; the link can be used again then.
        """
        invitation = self.invitation(link)
        if invitation is None:
            return None
        token = secrets.token_urlsafe(32)
        account = Account(invitation.name, _hashed(token), invitation.invited_by, self._clock())
        others = tuple(each for each in self._stored.accounts if folded(each.name) != folded(account.name))
        self._store(Stored((*others, account), self._without(invitation)))
        _log.info("console_joined", account=account.name, invited_by=account.invited_by)
        return account, token

    def end(self, account: Account, by: str) -> None:
        """End an account, and with it all its passes; its name stays taken.

        Raise `AccountError` if it has ended before, or if that cannot be stored.
        """
        if account not in self.open():
            raise AccountError(f"The account of {account.name} has ended already.")
        ended = replace(account, token_hash="")
        accounts = tuple(ended if each == account else each for each in self._stored.accounts)
        self._close(replace(self._stored, accounts=accounts))
        _log.info("console_account_ended", account=account.name, by=by)

    def _without(self, invitation: Invitation) -> tuple[Invitation, ...]:
        return tuple(each for each in self.invitations() if each != invitation)

    def _store(self, stored: Stored) -> None:
        if self._is_damaged:  # what is in the file may still be saved by hand
            raise AccountError(_DAMAGED)
        try:
            self._file.write(stored)
        except OSError as error:
            _log.error("console_accounts_not_kept", reason=type(error).__name__)
            raise AccountError(_NOT_STORED) from error
        self._stored = stored

    def _close(self, stored: Stored) -> None:
        """Store what lets fewer people in than before; where that fails, it holds at least until the bot restarts."""
        try:
            self._store(stored)
        except AccountError as error:
            self._stored = stored
            raise AccountError(f"It has ended, but comes back when the bot restarts. {error}") from error


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
