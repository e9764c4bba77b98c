"""What is known of the person who asks about a photo and of the chat, in one transaction and mostly one query."""

from dataclasses import dataclass, field

from sqlalchemy import bindparam, exists, literal, select

from db.chat_emoji import OwnEmoji, emoji_of
from db.chats import ChatChoices, choices_in
from db.choices import TasteRevision
from db.forgettings import FORGETTINGS
from db.identity import Chat, Person
from db.preferences import COLUMNS, Preferences, preferences_in
from db.schema import ChatEmojiRow, ChatRow, GameRow, PersonRow
from db.transactions import Transactions


@dataclass(frozen=True)
class PhotoContext:
    """What is known when somebody asks about a photo; each default is what holds if nothing is.

    preferences: of the person. choices and own_emoji: of the chat. has_game: the person plays alone in it, or did and
    gave up. revision: as in `Choices.revision`, None if nobody looked. forgettings: how often somebody was forgotten
    so far.
    """

    preferences: Preferences = field(default_factory=Preferences)
    choices: ChatChoices = field(default_factory=ChatChoices)
    own_emoji: tuple[OwnEmoji, ...] = ()
    has_game: bool = False
    revision: TasteRevision | None = None
    forgettings: int = 0


class PhotoContexts:
    """Reads what is known when somebody asks about a photo."""

    def __init__(self, transactions: Transactions, secret: str) -> None:
        self._transactions = transactions
        self._secret = secret

    async def of(self, person: Person, chat: Chat) -> PhotoContext:
        """Return what is known of the person and the chat."""
        hashes = {"person": person.hashed(self._secret), "chat": chat.hashed(self._secret)}
        async with self._transactions.read() as session:
            found = (await session.execute(_QUERY, hashes)).one()
            own_emoji = await emoji_of(session, hashes["chat"]) if found.has_emoji else ()
        known = found.ChatRow
        return PhotoContext(
            preferences_in(found),
            choices_in(known) if known is not None else ChatChoices(),
            own_emoji,
            found.has_game,
            TasteRevision(found.taste_revision or 0, known.taste_revision if known is not None else 0),
            found.forgettings,
        )


_NOTHING = select(literal(1).label("row")).subquery()
"""One row, so that there is an answer about people and chats that nobody knows."""
# Made once: to put a query together takes longer than to run it.
_QUERY = (
    select(
        *COLUMNS,
        PersonRow.taste_revision,
        ChatRow,
        exists().where(ChatEmojiRow.chat_id == ChatRow.id).label("has_emoji"),
        exists().where(GameRow.chat_id == ChatRow.id, GameRow.person_id == PersonRow.id).label("has_game"),
        FORGETTINGS.scalar_subquery().label("forgettings"),
    )
    .select_from(_NOTHING)
    .outerjoin(PersonRow, PersonRow.hash == bindparam("person"))
    .outerjoin(ChatRow, ChatRow.hash == bindparam("chat"))
)
