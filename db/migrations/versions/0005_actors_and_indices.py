"""hashes of admins, times and tastes that are found by an index

Revision 0005, after 0004.
"""

import re

import sqlalchemy as sa
from alembic import context, op

from db.enums import Platform
from db.identity import Person

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_RAW_ID = re.compile(r"(telegram|discord) ([0-9]{1,20})")
_TITLES = {"telegram": "an admin on Telegram", "discord": "an admin on Discord"}
_TIMES = (("photos", "taken_at"), ("taps", "tapped_at"), ("labels", "labelled_at"))
_ACTORS = (("promotions", "by"), ("retrainings", "asked_by"))


def upgrade() -> None:
    for table in ("chats", "people"):
        op.add_column(table, sa.Column("taste_revision", _KEY, nullable=False, server_default="1"))
    for table, column in _TIMES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    _copy_senders_and_chats()
    for table, column in _ACTORS:
        op.add_column(table, sa.Column(f"{column}_hash", sa.String(64), nullable=True))
        op.create_index(op.f(f"ix_{table}_{column}_hash"), table, [f"{column}_hash"])
        _hash_raw_ids(table, column)


def _copy_senders_and_chats() -> None:
    op.add_column("taps", sa.Column("sender_id", _KEY, nullable=False, server_default="0"))
    op.add_column("taps", sa.Column("chat_id", _KEY, nullable=False, server_default="0"))
    taps = sa.table("taps", sa.column("reading_id"), sa.column("sender_id"), sa.column("chat_id"))
    readings = sa.table("readings", sa.column("id"), sa.column("photo_id"))
    photos = sa.table("photos", sa.column("id"), sa.column("person_id"), sa.column("chat_id"))
    for column, origin in (("sender_id", photos.c.person_id), ("chat_id", photos.c.chat_id)):
        joined = readings.join(photos, readings.c.photo_id == photos.c.id)
        found = sa.select(origin).select_from(joined).where(readings.c.id == taps.c.reading_id).scalar_subquery()
        op.execute(sa.update(taps).values({column: found}))
        op.create_index(f"ix_taps_{column}_tapped_at", "taps", [column, "tapped_at"])


def _hash_raw_ids(table: str, column: str) -> None:
    """Replace "telegram 123456" by the keyed hash of that person, and a title that does not contain the id."""
    secret = context.config.attributes["secret"]
    connection = op.get_bind()
    rows = sa.table(table, sa.column("id"), sa.column(column), sa.column(f"{column}_hash"))
    names = connection.execute(sa.select(rows.c[column]).distinct()).scalars().all()
    for name in names:
        raw = _RAW_ID.fullmatch(name)
        if raw is None:
            continue
        person = Person(Platform(raw[1]), raw[2])
        values = {column: _TITLES[raw[1]], f"{column}_hash": person.hashed(secret)}
        connection.execute(sa.update(rows).where(rows.c[column] == name).values(values))


def downgrade() -> None:
    for table, column in _ACTORS:
        op.drop_index(op.f(f"ix_{table}_{column}_hash"), table)
        op.drop_column(table, f"{column}_hash")
    for column in ("sender_id", "chat_id"):
        op.drop_index(f"ix_taps_{column}_tapped_at", "taps")
        op.drop_column("taps", column)
    for table, column in _TIMES:
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
    for table in ("people", "chats"):
        op.drop_column(table, "taste_revision")
