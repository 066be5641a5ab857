"""Immutable checkpoints named by the row, and the release that made the schema."""

import sqlalchemy as sa
from alembic import op

revision = "0005_checkpoints"
down_revision = "0004_weight"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("checkpoint", sa.Text(), nullable=True))
    op.add_column("shares", sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("shares", sa.Column("cleanup_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_shares_cleanup_at", "shares", ["cleanup_at"])
    op.execute("UPDATE shares SET cleanup_at = deleted_at WHERE deleted_at IS NOT NULL")
    op.create_table(
        "schema_release",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schema_release"),
    )


def downgrade() -> None:
    named = sa.text("SELECT count(*) FROM shares WHERE checkpoint IS NOT NULL")
    if count := op.get_bind().scalar(named):
        raise SystemExit(
            f"The sessions of {count} shares are stored in a way that the older release cannot read. "
            "Run 'flask shares prepare-downgrade' first."
        )
    op.drop_table("schema_release")
    op.drop_index("ix_shares_cleanup_at", "shares")
    with op.batch_alter_table("shares") as shares:
        shares.drop_column("cleanup_at")
        shares.drop_column("synced_at")
        shares.drop_column("checkpoint")
