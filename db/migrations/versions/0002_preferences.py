"""language, skin tone and presentation of a person

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people", sa.Column("language", sa.String(length=16), nullable=True))
    op.add_column("people", sa.Column("skin_tone", sa.String(length=16), nullable=True))
    op.add_column("people", sa.Column("presentation", sa.String(length=16), nullable=True))


def downgrade() -> None:
    # Not in batch mode: on SQLite that creates the table again, and dropping the old one would delete its photos.
    op.drop_column("people", "presentation")
    op.drop_column("people", "skin_tone")
    op.drop_column("people", "language")
