"""which words people agreed to, when the clock was right, and what was erased while a model learned

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

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


def downgrade() -> None:
    op.drop_table("clock")
    op.drop_column("retrainings", "erasures")
    op.drop_column("people", "is_introduced")
    for column in reversed(_PEOPLE):
        op.drop_column("people", column)
