"""which words people agreed to, when the clock was right, how often somebody was forgotten, and what was
erased while a model learned

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PEOPLE = ("consent_version", "consent_days", "asked_version", "asked_days")
_WITHOUT_LIMIT = 1
"""The version of the words that people said yes to before: they named no time."""


def upgrade() -> None:
    for column in _PEOPLE:
        op.add_column("people", sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("people", sa.Column("is_introduced", sa.Boolean(), nullable=False, server_default=sa.false()))
    people = sa.table("people", sa.column("keeps_faces", sa.Boolean()), sa.column("consent_version", sa.Integer()))
    op.execute(sa.update(people).where(people.c.keeps_faces).values(consent_version=_WITHOUT_LIMIT))
    op.add_column("retrainings", sa.Column("erasures", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("believed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("doubted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock")),
    )
    op.create_table(
        "forgettings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("count", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forgettings")),
    )
    op.add_column("people", sa.Column("known_since", _KEY, nullable=False, server_default="0"))
    op.add_column("open_messages", sa.Column("forgettings", _KEY, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("open_messages", "forgettings")
    op.drop_column("people", "known_since")
    op.drop_table("forgettings")
    op.drop_table("clock")
    op.drop_column("retrainings", "erasures")
    op.drop_column("people", "is_introduced")
    for column in reversed(_PEOPLE):
        op.drop_column("people", column)
