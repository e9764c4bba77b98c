"""labels, model versions, retrainings

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def _to(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def upgrade() -> None:
    op.add_column("chats", sa.Column("everyone_taps", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("taps") as batch_op:  # nothing refers to taps, so recreating the table loses nothing
        batch_op.add_column(sa.Column("person_id", _KEY, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_taps_person_id"), "people", ["person_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_index(batch_op.f("ix_taps_person_id"), ["person_id"])
    op.create_table(
        "labels",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("reading_id", _KEY, nullable=False),
        sa.Column("person_id", _KEY, nullable=True),
        sa.Column("labelled_at", _MOMENT, nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        _to("labels", "reading_id", "readings", "CASCADE"),
        _to("labels", "person_id", "people", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
    )
    op.create_index(op.f("ix_labels_reading_id"), "labels", ["reading_id"])
    op.create_index(op.f("ix_labels_person_id"), "labels", ["person_id"])
    op.create_table(
        "models",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("origin", sa.String(length=8), nullable=False),
        sa.Column("parent_id", _KEY, nullable=True),
        sa.Column("artefact", sa.LargeBinary(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=True),
        _to("models", "parent_id", "models"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("version", name=op.f("uq_models_version")),
        sa.UniqueConstraint("role", name=op.f("uq_models_role")),
    )
    op.create_table(
        "promotions",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("model_id", _KEY, nullable=False),
        sa.Column("replaced_id", _KEY, nullable=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _to("promotions", "model_id", "models"),
        _to("promotions", "replaced_id", "models"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
    )
    op.create_index(op.f("ix_promotions_model_id"), "promotions", ["model_id"])
    op.create_table(
        "lessons",
        sa.Column("model_id", _KEY, nullable=False),
        sa.Column("reading_id", _KEY, nullable=False),
        sa.Column("part", sa.String(length=8), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("label", sa.JSON(), nullable=False),
        _to("lessons", "model_id", "models", "CASCADE"),
        _to("lessons", "reading_id", "readings", "CASCADE"),
        sa.PrimaryKeyConstraint("model_id", "reading_id", name=op.f("pk_lessons")),
    )
    op.create_index(op.f("ix_lessons_reading_id"), "lessons", ["reading_id"])
    op.create_table(
        "shadows",
        sa.Column("model_id", _KEY, nullable=False),
        sa.Column("reading_id", _KEY, nullable=False),
        sa.Column("probabilities", sa.JSON(), nullable=False),
        _to("shadows", "model_id", "models", "CASCADE"),
        _to("shadows", "reading_id", "readings", "CASCADE"),
        sa.PrimaryKeyConstraint("model_id", "reading_id", name=op.f("pk_shadows")),
    )
    op.create_index(op.f("ix_shadows_reading_id"), "shadows", ["reading_id"])
    op.create_table(
        "retrainings",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.Column("depth", sa.String(length=8), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("beat_at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("step", sa.String(length=200), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("model_id", _KEY, nullable=True),
        _to("retrainings", "model_id", "models"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retrainings")),
        sa.UniqueConstraint("slot", name=op.f("uq_retrainings_slot")),
    )


def downgrade() -> None:
    for table in ("retrainings", "shadows", "lessons", "promotions", "models", "labels"):
        op.drop_table(table)
    op.execute("DELETE FROM taps WHERE person_id IS NOT NULL")  # votes, which would become the senders' own taps
    with op.batch_alter_table("taps") as batch_op:
        batch_op.drop_index(batch_op.f("ix_taps_person_id"))
        batch_op.drop_constraint(batch_op.f("fk_taps_person_id"), type_="foreignkey")
        batch_op.drop_column("person_id")
    op.drop_column("chats", "everyone_taps")
