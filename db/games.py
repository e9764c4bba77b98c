"""Games that are on, and the scoreboards of chats."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.enums import TapOrigin
from db.forgettings import may_be_forgotten
from db.identity import Chat, ChatMessage, Person
from db.people import row_of
from db.schema import AttemptRow, ChatRow, GameRow, PersonRow, ReadingRow, ScoreRow, TapRow
from db.transactions import Transactions

MOST_NAME = 64
"""Characters of a name on a scoreboard."""
UNNAMED = "?"
"""The name of somebody whose name is not known."""


@dataclass(frozen=True)
class Game:
    """A game that is on: its number, its round from 1, what is to be copied, and the points so far.

    asked: the emotions of all rounds, the current one last. is_shared: everybody in the chat may take part.
    """

    id: int
    round: int
    emotion: str
    emoji: str
    asked: tuple[str, ...]
    points: int
    is_shared: bool


@dataclass(frozen=True)
class Score:
    """A line of a scoreboard."""

    name: str
    points: int
    rounds: int


class Games:
    """Starts, finds and ends games, and keeps the scores. Every method is one transaction."""

    def __init__(self, transactions: Transactions, secret: str) -> None:
        self._transactions = transactions
        self._secret = secret

    async def start(self, chat: Chat, person: Person | None, emotion: str, emoji: str, at: datetime) -> Game:
        """Start a game of one person, or a round of everybody for None, in place of the one that was on there."""
        async with self._transactions.write(alone=True) as session:
            who = await row_of(session, PersonRow, person, self._secret) if person is not None else None
            where = await row_of(session, ChatRow, chat, self._secret)
            number = who.id if who is not None else None
            await session.execute(delete(GameRow).where(GameRow.chat_id == where.id, _is_of(number)))
            row = GameRow(
                chat_id=where.id,
                person_id=number,
                round=1,
                emotion=emotion,
                emoji=emoji,
                asked=[emotion],
                points=0,
                asked_at=at,
            )
            session.add(row)
            await session.flush()
            return _game(row)

    async def of(self, chat: Chat, person: Person, since: datetime) -> Game | None:
        """Return the game that a person plays alone in a chat, if its round began since then."""
        query = (
            select(GameRow)
            .join(PersonRow, GameRow.person_id == PersonRow.id)
            .join(ChatRow, GameRow.chat_id == ChatRow.id)
            .where(PersonRow.hash == person.hashed(self._secret), ChatRow.hash == chat.hashed(self._secret))
            .where(GameRow.asked_at >= since)
        )
        async with self._transactions.read() as session:
            row = await session.scalar(query)
            return _game(row) if row is not None else None

    async def asked_in(self, message: ChatMessage, since: datetime) -> Game | None:
        """Return the round of everybody that a message asks for, if it began since then."""
        asks = GameRow.message_hash == message.hashed(self._secret)
        async with self._transactions.read() as session:
            row = await session.scalar(select(GameRow).where(asks, GameRow.asked_at >= since))
            return _game(row) if row is not None else None

    async def note_message(self, game: int, message: ChatMessage) -> None:
        """Store which message asks for a round."""
        digest = message.hashed(self._secret)
        async with self._transactions.write() as session:
            await session.execute(
                update(GameRow).where(GameRow.message_hash == digest, GameRow.id != game).values(message_hash=None)
            )
            await session.execute(update(GameRow).where(GameRow.id == game).values(message_hash=digest))

    async def go_on(self, game: Game, points: int, emotion: str, emoji: str, at: datetime) -> Game | None:
        """Add points to a game and begin its next round. Return None if another photo ended the round before."""
        async with self._transactions.write() as session:
            row = await session.scalar(select(GameRow).where(GameRow.id == game.id).with_for_update())
            if row is None or row.round != game.round:
                return None
            row.points += points
            row.round += 1
            row.emotion, row.emoji, row.asked, row.asked_at = emotion, emoji, [*row.asked, emotion], at
            await session.flush()
            return _game(row)

    async def change(self, game: Game, emotion: str, emoji: str, at: datetime) -> Game | None:
        """Ask for something else in the same round; return None if the round is over."""
        async with self._transactions.write() as session:
            row = await session.scalar(select(GameRow).where(GameRow.id == game.id).with_for_update())
            if row is None or row.round != game.round:
                return None
            row.emotion, row.emoji, row.asked, row.asked_at = emotion, emoji, [*row.asked, emotion], at
            await session.flush()
            return _game(row)

    async def end(self, game: Game) -> bool:
        """End a game; return False if it had ended, or gone on, before."""
        async with self._transactions.write() as session:
            row = await session.scalar(select(GameRow).where(GameRow.id == game.id).with_for_update())
            if row is None or row.round != game.round:
                return False
            await session.execute(delete(GameRow).where(GameRow.id == game.id))
            return True

    async def score(self, game: Game, person: Person, name: str, points: int, forgettings: int | None = None) -> int:
        """Count an attempt in a round of everybody and return what the person has got in it: the best attempt counts.

        name: what the person is called there, at most `MOST_NAME` characters are kept; empty for what it was before.
        forgettings: as in `Store.add_photo`; of one who may have been forgotten since nothing is stored.
        """
        async with self._transactions.write() as session:
            if forgettings is not None and await may_be_forgotten(session, forgettings, [person], self._secret):
                return points
            who = await row_of(session, PersonRow, person, self._secret)
            row = await session.scalar(select(GameRow).where(GameRow.id == game.id).with_for_update())
            if row is None:
                return points
            before = await session.scalar(
                select(AttemptRow).where(AttemptRow.game_id == game.id, AttemptRow.person_id == who.id)
            )
            gained = max(0, points - before.points) if before is not None else points
            if before is None:
                session.add(AttemptRow(game_id=game.id, person_id=who.id, points=points))
            else:
                before.points += gained
            added = Score(name[:MOST_NAME], gained, 1 if before is None else 0)
            await _add_score(session, row.chat_id, who.id, added)
            return points if before is None else before.points

    async def scoreboard(self, chat: Chat, most: int) -> tuple[Score, ...]:
        """Return the first `most` of a chat, the best first."""
        query = (
            select(ScoreRow.name, ScoreRow.points, ScoreRow.rounds)
            .join(ChatRow, ScoreRow.chat_id == ChatRow.id)
            .where(ChatRow.hash == chat.hashed(self._secret))
            .order_by(ScoreRow.points.desc(), ScoreRow.rounds, ScoreRow.name)
            .limit(most)
        )
        async with self._transactions.read() as session:
            return tuple(Score(*row) for row in await session.execute(query))

    async def clear_scoreboard(self, chat: Chat) -> None:
        """Delete the scores and the rounds of everybody in a chat."""
        where = select(ChatRow.id).where(ChatRow.hash == chat.hashed(self._secret)).scalar_subquery()
        async with self._transactions.write(alone=True) as session:
            await session.execute(delete(ScoreRow).where(ScoreRow.chat_id == where))
            await session.execute(delete(GameRow).where(GameRow.chat_id == where, GameRow.person_id.is_(None)))

    async def attempts_by_emotion(self) -> dict[str, int]:
        """Return how many faces that may be learned from were made for each emotion in games."""
        query = (
            select(TapRow.emotion, func.count())
            .join(ReadingRow, TapRow.reading_id == ReadingRow.id)
            .where(TapRow.origin == TapOrigin.PLAY, ReadingRow.crop.is_not(None))
            .group_by(TapRow.emotion)
        )
        async with self._transactions.read() as session:
            return {str(emotion): count for emotion, count in (await session.execute(query)).all()}


async def _add_score(session: AsyncSession, chat: int, person: int, added: Score) -> None:
    mine = ScoreRow.chat_id == chat, ScoreRow.person_id == person
    row = await session.scalar(select(ScoreRow).where(*mine))
    if row is None:
        session.add(
            ScoreRow(
                chat_id=chat, person_id=person, name=added.name or UNNAMED, points=added.points, rounds=added.rounds
            )
        )
        return
    row.name = added.name or row.name
    row.points += added.points
    row.rounds += added.rounds


def _is_of(person: int | None) -> ColumnElement[bool]:
    return GameRow.person_id.is_(None) if person is None else GameRow.person_id == person


def _game(row: GameRow) -> Game:
    return Game(row.id, row.round, row.emotion, row.emoji, tuple(row.asked), row.points, row.person_id is None)
