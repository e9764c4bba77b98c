"""the avatar that a person chose

Revision 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("hair", "hair_colour"):
        op.add_column("people", sa.Column(column, sa.String(length=16), nullable=True))


def downgrade() -> None:
    for column in ("hair_colour", "hair"):
        op.drop_column("people", column)
