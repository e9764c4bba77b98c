"""The commands of admins in a chat: review faces, retrain, promote, go back. The service checks the permission."""

from collections.abc import AsyncIterator

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots.admin import texts as admin_texts
from bots.admin.allowlist import Allowlist
from bots.admin.retraining_chat import RetrainingChat
from bots.admin.review_chat import ReviewChat
from bots.admin.tokens import AdminAction, AdminToken
from bots.admin.versions_chat import VersionsChat
from bots.messages import AdminCommand, AdminCommandName, Reply, Tap, TapReply
from db import Depth, Verdict, VersionError

_log = structlog.get_logger()


class AdminCommands:
    """Answers the commands and taps of admins. Raises nothing: a failure becomes a sentence that says what to do, and a
    log entry.
    """

    def __init__(
        self, admins: Allowlist, review: ReviewChat, retraining: RetrainingChat, versions: VersionsChat
    ) -> None:
        self.admins = admins
        self._review = review
        self._retraining = retraining
        self._versions = versions

    async def on_command(self, command: AdminCommand) -> AsyncIterator[Reply]:
        """Yield the replies to a command; each replaces the one before."""
        if command.in_public:
            yield Reply(admin_texts.IN_PRIVATE.format(command=command.name.value))
            return
        try:
            if command.name is AdminCommandName.RETRAIN:
                async for reply in self._retrain(command):
                    yield reply
            else:
                yield await self._command(command)
        except VersionError as error:
            yield Reply(str(error))
        except (SQLAlchemyError, OSError):
            _log.exception("admin_without_database", command=command.name.value)
            yield Reply(admin_texts.NO_DATABASE)
        except Exception:
            _log.exception("admin_command_failed", command=command.name.value)
            yield Reply(admin_texts.FAILED)

    async def on_tap(self, tap: Tap, token: AdminToken) -> TapReply:
        """Answer a tap on a button of any age. token: the button's."""
        if tap.in_public:
            return TapReply(admin_texts.IN_PRIVATE.format(command=AdminCommandName.MODELS.value))
        try:
            return await self._tap(tap, token)
        except (SQLAlchemyError, OSError):
            _log.exception("admin_without_database", action=token.action.name.lower())
            return TapReply(admin_texts.NO_DATABASE)
        except Exception:
            _log.exception("admin_tap_failed", action=token.action.name.lower())
            return TapReply(admin_texts.FAILED)

    async def _retrain(self, command: AdminCommand) -> AsyncIterator[Reply]:
        try:
            depth = Depth(command.words.strip().lower() or Depth.ADAPT)
        except ValueError:
            yield Reply(admin_texts.WHICH_DEPTH)
            return
        async for reply in self._retraining.follow(command.person, depth):
            yield reply

    async def _command(self, command: AdminCommand) -> Reply:
        match command.name:
            case AdminCommandName.REVIEW:
                return await self._review.next(command.person)
            case AdminCommandName.ROLLBACK:
                return await self._versions.way_back()
            case AdminCommandName.PROMOTE:
                name, _, reason = command.words.strip().partition(" ")
                if not name:
                    return Reply(admin_texts.HOW_TO_PROMOTE)
                said = await self._versions.promote_by_name(command.person, name, reason.strip())
                return await self._versions.page(said)
            case AdminCommandName.MODELS:
                return await self._versions.page()
            case AdminCommandName.RETRAIN:
                raise AssertionError("a retraining is followed, not answered once")

    async def _tap(self, tap: Tap, token: AdminToken) -> TapReply:
        match token.action:
            case AdminAction.LABEL:
                page = await self._review.label(tap.person, token.number, tuple(Verdict)[token.other])
            case AdminAction.SKIP:
                page = await self._review.skip(tap.person, token.number)
            case AdminAction.UNDO:
                page = await self._review.undo(tap.person)
            case AdminAction.CANCEL:
                return TapReply(await self._retraining.cancel(token.number))
            case _:
                page = await self._versions.page(await self._served(tap, token))
        notice = page.text.partition("\n")[0]
        return TapReply(notice, page.rows, page.text, picture=page.picture, is_whole=True, is_obvious=True)

    async def _served(self, tap: Tap, token: AdminToken) -> str:
        """Change the role of a version; return the sentence to say, also if the change was refused."""
        try:
            match token.action:
                case AdminAction.PROMOTE:
                    return await self._versions.promote(tap.person, token.number, token.other)
                case AdminAction.ROLL_BACK:
                    return await self._versions.roll_back(tap.person, token.number)
                case AdminAction.SHADOW:
                    return await self._versions.shadow(token.number)
            return await self._versions.end_shadow()
        except VersionError as error:
            _log.info("version_refused", action=token.action.name.lower(), reason=type(error).__name__)
            return str(error)
