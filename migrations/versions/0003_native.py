"""Shares that OpenCode makes by its own protocol, and the batches that are not in their documents yet."""

import sqlalchemy as sa
from alembic import op

revision = "0003_native"
down_revision = "0002_expiry"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("source", sa.Text(), server_default="upload", nullable=False))
    for name in ("revision", "document_bytes", "pending_bytes"):
        op.add_column("shares", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "share_events",
        sa.Column("share_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("share_id", "number", name="pk_share_events"),
    )


def downgrade() -> None:
    op.drop_table("share_events")
    with op.batch_alter_table("shares") as shares:
        for name in ("pending_bytes", "document_bytes", "revision", "source"):
            shares.drop_column(name)
