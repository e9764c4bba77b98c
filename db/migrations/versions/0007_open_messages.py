"""photos that are being answered, and hashes of those that were

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "open_messages",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("message_hash", sa.String(64), nullable=False),
        sa.Column("person_hash", sa.String(64), nullable=False),
        sa.Column("chat_hash", sa.String(64), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_sending", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_messages")),
        sa.UniqueConstraint("message_hash", name=op.f("uq_open_messages_message_hash")),
        sqlite_autoincrement=True,
    )
    for column in ("person_hash", "chat_hash", "holder"):
        op.create_index(op.f(f"ix_open_messages_{column}"), "open_messages", [column])
    op.create_table(
        "answered_messages",
        sa.Column("message_hash", sa.String(64), nullable=False),
        sa.Column("person_hash", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_hash", name=op.f("pk_answered_messages")),
    )
    for column in ("person_hash", "at"):
        op.create_index(op.f(f"ix_answered_messages_{column}"), "answered_messages", [column])


def downgrade() -> None:
    op.drop_table("answered_messages")
    op.drop_table("open_messages")
