"""settings, emoji and games of chats, authors of photos, messages that people react on, and one row for each vote

Revision 0006, after 0005.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("chats", sa.Column("automatic", sa.String(8), nullable=False, server_default="off"))
    op.add_column("chats", sa.Column("quiet_from", sa.Integer(), nullable=True))
    op.add_column("chats", sa.Column("quiet_until", sa.Integer(), nullable=True))
    op.add_column("chats", sa.Column("utc_offset_minutes", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("chats", sa.Column("most_faces", sa.Integer(), nullable=True))
    op.add_column("photos", sa.Column("author_id", _KEY, nullable=True))
    op.create_index(op.f("ix_photos_author_id"), "photos", ["author_id"])
    op.add_column("chats", sa.Column("allows_play", sa.Boolean(), nullable=False, server_default=sa.false()))
    _add_messages()
    _add_chat_emoji()
    _add_games()
    _keep_the_latest_votes()
    op.create_index("ix_taps_reading_id_person_id", "taps", ["reading_id", "person_id"], unique=True)
    op.add_column("taps", sa.Column("origin", sa.String(8), nullable=False, server_default="button"))
    op.add_column("lessons", sa.Column("is_played", sa.Boolean(), nullable=False, server_default=sa.false()))
    _set_emoji_length(64)


def _add_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("photo_id", _KEY, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], name=op.f("fk_messages_photo_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("hash", name=op.f("uq_messages_hash")),
    )
    op.create_index(op.f("ix_messages_photo_id"), "messages", ["photo_id"])


def _add_chat_emoji() -> None:
    op.create_table(
        "chat_emoji",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("chat_id", _KEY, nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("meaning", sa.String(32), nullable=False),
        sa.Column("stands_for", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_chat_emoji_chat_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_emoji")),
        sa.UniqueConstraint("chat_id", "symbol", name=op.f("uq_chat_emoji_chat_id")),
    )
    op.create_index(op.f("ix_chat_emoji_chat_id"), "chat_emoji", ["chat_id"])


def _add_games() -> None:
    op.create_table(
        "games",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("chat_id", _KEY, nullable=False),
        sa.Column("person_id", _KEY, nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("emotion", sa.String(16), nullable=False),
        sa.Column("emoji", sa.String(32), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_hash", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_games_chat_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_games_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_games")),
        sa.UniqueConstraint("chat_id", "person_id", name=op.f("uq_games_chat_id")),
        sa.UniqueConstraint("message_hash", name=op.f("uq_games_message_hash")),
        sqlite_autoincrement=True,
    )
    for column in ("chat_id", "person_id"):
        op.create_index(op.f(f"ix_games_{column}"), "games", [column])
    _add_points("attempts", "game_id", "games.id", sa.Column("points", sa.Integer(), nullable=False))
    _add_points(
        "scores",
        "chat_id",
        "chats.id",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
    )


def _add_points(table: str, owner: str, key: str, *columns: "sa.Column[Any]") -> None:
    op.create_table(
        table,
        sa.Column(owner, _KEY, nullable=False),
        sa.Column("person_id", _KEY, nullable=False),
        *columns,
        sa.ForeignKeyConstraint([owner], [key], name=op.f(f"fk_{table}_{owner}"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f(f"fk_{table}_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(owner, "person_id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_person_id"), table, ["person_id"])


def _keep_the_latest_votes() -> None:
    """Delete all but the latest tap of each person on a face that somebody else asked about."""
    taps = sa.table("taps", sa.column("id"), sa.column("reading_id"), sa.column("person_id"))
    later = taps.alias()
    is_overruled = sa.exists().where(
        later.c.reading_id == taps.c.reading_id, later.c.person_id == taps.c.person_id, later.c.id > taps.c.id
    )
    op.execute(sa.delete(taps).where(taps.c.person_id.is_not(None), is_overruled))


def _set_emoji_length(length: int) -> None:
    with op.batch_alter_table("taps") as taps:
        taps.alter_column(
            "emoji", type_=sa.String(length), existing_type=sa.String(96 - length), existing_nullable=True
        )


def downgrade() -> None:
    op.execute("DELETE FROM taps WHERE length(emoji) > 32")
    _set_emoji_length(32)
    op.drop_column("lessons", "is_played")
    op.drop_column("taps", "origin")
    op.drop_index("ix_taps_reading_id_person_id", "taps")
    for table in ("scores", "attempts", "games", "chat_emoji", "messages"):
        op.drop_table(table)
    op.drop_index(op.f("ix_photos_author_id"), "photos")
    op.drop_column("photos", "author_id")
    for column in ("allows_play", "most_faces", "utc_offset_minutes", "quiet_until", "quiet_from", "automatic"):
        op.drop_column("chats", column)
