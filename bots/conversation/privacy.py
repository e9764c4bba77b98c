"""What people decide about their data: whether crops of faces are kept, the file with everything, its deletion."""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots.conversation import texts
from bots.conversation.buttons import Action, ConsentAnswer, Token, consent_rows, forget_rows, privacy_rows
from bots.conversation.languages import Voice
from bots.conversation.my_data import my_data_file
from bots.conversation.recipient import Recipient
from bots.messages import Command, Reply, Tap, TapReply
from db import CONSENT_VERSION, Consent, OwnData, OwnMessages, Person, Preferences, Store

ACTIONS = frozenset({Action.KEEP_FACES, Action.FORGET})

_log = structlog.get_logger()


class Privacy:
    """Answers what concerns people's own data. SQLAlchemy's errors are passed on, but for those of `question`."""

    def __init__(self, store: Store, forgotten: Callable[[], None]) -> None:
        """forgotten: called after somebody was forgotten."""
        self._store = store
        self._forgotten = forgotten

    async def show(self, command: Command, recipient: Recipient) -> Reply:
        """Return what is kept, and a person's own choice where nobody else sees it."""
        if command.in_public:
            return Reply(self._text(recipient.voice.say(texts.CHOOSE_IN_PRIVATE), recipient.voice))
        consent = await self._store.consents.of(command.person)
        return Reply(self._page(consent, recipient.voice), rows=privacy_rows(consent, recipient))

    async def question(self, tap: Tap, recipient: Recipient) -> Reply | None:
        """Return the question whether crops of a person's faces may be kept; None if this is not the moment.

        They are asked where nobody else reads it, and once for the same words.
        """
        if tap.in_public:
            return None
        try:
            before = await self._store.consents.of(tap.person)
            if not await self._store.consents.may_ask(tap.person):
                return None
        except (SQLAlchemyError, OSError):
            _log.exception("consent_not_asked", platform=tap.chat.platform)
            return None
        return Reply(self._consent_text(before, recipient.voice), rows=consent_rows(recipient))

    async def tapped(self, tap: Tap, token: Token, recipient: Recipient) -> TapReply:
        """Answer a tap on a button of one of `ACTIONS`."""
        if token.action is Action.FORGET:
            return await self._forget(tap, token, recipient)
        return await self._choose(tap, token, recipient)

    async def my_data(self, command: Command, recipient: Recipient) -> Reply:
        """Hand a person everything about them, where nobody else sees it."""
        if command.in_public:
            return Reply(recipient.voice.say(texts.ASK_IN_PRIVATE))
        data = await self._store.personal_data.of(command.person)
        messages = await self._store.journal.of(command.person)
        if data is None and messages == OwnMessages():
            return Reply(recipient.voice.say(texts.NOTHING_KNOWN))
        data = data or OwnData(command.person.platform, False, Preferences(), (), (), ())
        file = await asyncio.to_thread(my_data_file, data, messages)
        return Reply(recipient.voice.say(texts.MY_DATA), file=file)

    def ask_to_forget(self, command: Command, recipient: Recipient) -> Reply:
        """Return the question whether everything is to be deleted; only the person who asked can answer it."""
        mark = self._store.mark_of(command.person)
        return Reply(recipient.voice.say(texts.FORGET_ASKS), rows=forget_rows(mark, recipient))

    async def _forget(self, tap: Tap, token: Token, recipient: Recipient) -> TapReply:
        say = recipient.voice.say
        person = await self._who_asked(tap, token.reading)
        if person is None:
            return TapReply(say(texts.NOT_YOURS_TO_FORGET))
        if token.choice == 0:
            return TapReply(say(texts.FORGET_CANCELLED), (), say(texts.FORGET_CANCELLED))
        known = await self._store.forget(person)
        self._forgotten()
        notice = say(texts.FORGOTTEN if known else texts.NOTHING_TO_FORGET)
        return TapReply(notice, (), notice, has_forgotten=person == tap.person)

    async def _who_asked(self, tap: Tap, mark: int) -> Person | None:
        """Return the person of this mark, if they tapped; also one for whom somebody speaks."""
        if self._store.mark_of(tap.person) == mark:
            return tap.person
        alias = await tap.alias()
        return alias if alias is not None and self._store.mark_of(alias) == mark else None

    async def _choose(self, tap: Tap, token: Token, recipient: Recipient) -> TapReply:
        """Store an answer; a yes to words that have changed since is none, and the present ones are shown."""
        voice, answer = recipient.voice, ConsentAnswer(token.choice)
        if answer is ConsentAnswer.YES and token.reading == CONSENT_VERSION:
            await self._store.set_keeps_faces(tap.person, True)
            notice = voice.say(texts.FACES_ALLOWED)
        elif answer is ConsentAnswer.NO:
            await self._store.set_keeps_faces(tap.person, False)
            notice = voice.say(texts.FACES_REFUSED)
        else:
            notice = voice.say(texts.CONSENT_SHOWN)
        if tap.in_public:
            return TapReply(notice)
        consent = await self._store.consents.of(tap.person)
        rows = privacy_rows(consent, recipient)
        return TapReply(notice, rows, self._page(consent, voice), is_obvious=answer is ConsentAnswer.MORE)

    def _page(self, consent: Consent, voice: Voice) -> str:
        if consent.agreed:
            return self._text(voice.say(texts.KEEPS_FACES, kept=self._crops_kept(voice)), voice)
        return self._text(f"{voice.say(texts.KEEPS_NO_FACES)} {self._consent_text(consent, voice)}", voice)

    def _consent_text(self, consent: Consent, voice: Voice) -> str:
        words = voice.say(texts.CONSENT, kept=self._crops_kept(voice))
        return f"{voice.say(texts.CONSENT_CHANGED)} {words}" if consent.is_outdated else words

    def _text(self, choice: str, voice: Voice) -> str:
        kept = _kept(self._store.keeping.readings_days, voice)
        return f"{voice.say(texts.INTRODUCTION)}\n{voice.say(texts.PRIVACY, kept=kept, choice=choice)}"

    def _crops_kept(self, voice: Voice) -> str:
        return _kept(self._store.keeping.longest_crop_days, voice)


def _kept(days: int, voice: Voice) -> str:
    return voice.count(texts.KEPT_FOR, days) if days else voice.say(texts.KEPT_UNTIL_DELETED)
