"""How many readers a share had."""

import sqlalchemy as sa
from alembic import op

revision = "0010_views"
down_revision = "0009_personal_tokens"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "share_readers",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("share_id", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", "share_id", "reader", name=op.f("pk_share_readers")),
    )
    op.create_table(
        "view_salts",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_view_salts")),
    )
    op.add_column("shares", sa.Column("views", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("shares") as shares:
        shares.drop_column("views")
    op.drop_table("view_salts")
    op.drop_table("share_readers")
