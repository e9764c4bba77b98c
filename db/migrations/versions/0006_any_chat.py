"""settings of chats, authors of photos, messages that people react on, and one row for each vote

Revision 0006, after 0005.
"""

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
    _add_messages()
    _keep_the_latest_votes()
    op.create_index("ix_taps_reading_id_person_id", "taps", ["reading_id", "person_id"], unique=True)
    op.add_column("taps", sa.Column("by_reaction", sa.Boolean(), nullable=False, server_default=sa.false()))
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
    op.drop_column("taps", "by_reaction")
    op.drop_index("ix_taps_reading_id_person_id", "taps")
    op.drop_table("messages")
    op.drop_index(op.f("ix_photos_author_id"), "photos")
    op.drop_column("photos", "author_id")
    for column in ("most_faces", "utc_offset_minutes", "quiet_until", "quiet_from", "automatic"):
        op.drop_column("chats", column)
