"""What a chat's administrators set for it, and what becomes of a chat that moves."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, select, update

from db.enums import Automatic
from db.identity import Chat
from db.people import row_of
from db.schema import ChatEmojiRow, ChatRow, PhotoRow, ScoreRow, TapRow
from db.transactions import Transactions


@dataclass(frozen=True)
class ChatChoices:
    """What the administrators of a chat chose; each default is what holds if they chose nothing.

    automatic: what happens to photos that nobody asked about. everyone_taps: people other than the one who asked may
    say what a face shows. quiet_from, quiet_until: hours of the chat's clock, 0 to 23, between which nothing is
    automatic; both None for never. utc_offset_minutes: what that clock is ahead of UTC. most_faces: how many faces of
    a photo are answered, None for as many as there are. allows_play: people may play a round with a scoreboard.
    """

    automatic: Automatic = Automatic.OFF
    everyone_taps: bool = False
    quiet_from: int | None = None
    quiet_until: int | None = None
    utc_offset_minutes: int = 0
    most_faces: int | None = None
    allows_play: bool = False


class Chats:
    """The choices of chats. Every method is one transaction."""

    def __init__(self, transactions: Transactions, secret: str) -> None:
        self._transactions = transactions
        self._secret = secret

    async def choices(self, chat: Chat) -> ChatChoices:
        """Return what the administrators of a chat chose."""
        query = select(ChatRow).where(ChatRow.hash == chat.hashed(self._secret))
        async with self._transactions.read() as session:
            row = await session.scalar(query)
        return choices_in(row) if row is not None else ChatChoices()

    async def change(self, chat: Chat, change: Callable[[ChatChoices], ChatChoices]) -> tuple[ChatChoices, ChatChoices]:
        """Store what a change makes of what was chosen in a chat, and return both; changes at once all count."""
        async with self._transactions.write() as session:
            number = (await row_of(session, ChatRow, chat, self._secret)).id
            row = await session.scalar(
                select(ChatRow)
                .where(ChatRow.id == number)
                .with_for_update(key_share=True)
                .execution_options(populate_existing=True)
            )
            assert row is not None
            before = choices_in(row)
            after = change(before)
            _put(after, row)
            return before, after

    async def choose(self, chat: Chat, choices: ChatChoices) -> None:
        """Store all that the administrators of a chat chose, in place of what they chose before."""
        await self.change(chat, lambda _: choices)

    async def move(self, old: Chat, new: Chat) -> None:
        """Let everything known of a chat be known of the one that it became; what was chosen in the new one stays.

        Do nothing if nothing is known of the old one, or it has moved already.
        """
        if old == new:
            return
        async with self._transactions.write(alone=True) as session:
            before = await session.scalar(
                select(ChatRow).where(ChatRow.hash == old.hashed(self._secret)).with_for_update()
            )
            if before is None:
                return
            after = await row_of(session, ChatRow, new, self._secret)
            if choices_in(after) == ChatChoices():
                _put(choices_in(before), after)
            after.taste_revision += 1
            for table in (PhotoRow, TapRow):
                await session.execute(update(table).where(table.chat_id == before.id).values(chat_id=after.id))
            for score in await session.scalars(select(ScoreRow).where(ScoreRow.chat_id == before.id)):
                mine = ScoreRow.chat_id == after.id, ScoreRow.person_id == score.person_id
                both = {"points": ScoreRow.points + score.points, "rounds": ScoreRow.rounds + score.rounds}
                await session.execute(update(ScoreRow).where(*mine).values(both))
            for own, key in ((ChatEmojiRow, ChatEmojiRow.symbol), (ScoreRow, ScoreRow.person_id)):
                known = select(key).where(own.chat_id == after.id)
                moving = own.chat_id == before.id, key.not_in(known)
                await session.execute(update(own).where(*moving).values(chat_id=after.id))
            await session.flush()
            await session.execute(delete(ChatRow).where(ChatRow.id == before.id))


def has_default_choices() -> ColumnElement[bool]:
    """Return the condition that the administrators of a chat chose nothing."""
    default = ChatChoices()
    return and_(
        ChatRow.automatic == default.automatic.value,
        ChatRow.everyone_taps.is_(default.everyone_taps),
        ChatRow.allows_play.is_(default.allows_play),
        ChatRow.quiet_from.is_(None),
        ChatRow.most_faces.is_(None),
        ChatRow.utc_offset_minutes == default.utc_offset_minutes,
    )


def choices_in(row: ChatRow) -> ChatChoices:
    """Return what was chosen in the chat of a row."""
    known = next((each for each in Automatic if each == row.automatic), Automatic.OFF)
    return ChatChoices(
        known,
        row.everyone_taps,
        row.quiet_from,
        row.quiet_until,
        row.utc_offset_minutes,
        row.most_faces,
        row.allows_play,
    )


def _put(choices: ChatChoices, row: ChatRow) -> None:
    row.automatic = choices.automatic.value
    row.everyone_taps = choices.everyone_taps
    row.quiet_from, row.quiet_until = choices.quiet_from, choices.quiet_until
    row.utc_offset_minutes = choices.utc_offset_minutes
    row.most_faces = choices.most_faces
    row.allows_play = choices.allows_play
