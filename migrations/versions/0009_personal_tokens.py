"""Personal tokens, whose share it is, and what its author calls it."""

import sqlalchemy as sa
from alembic import op

revision = "0009_personal_tokens"
down_revision = "0008_members"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "personal_tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_personal_tokens_hash")),
    )
    op.create_index(op.f("ix_personal_tokens_member"), "personal_tokens", ["member"])
    op.add_column("shares", sa.Column("custom_title", sa.Text(), nullable=True))
    op.add_column("shares", sa.Column("member", sa.Text(), nullable=True))
    op.create_index(op.f("ix_shares_member"), "shares", ["member"])


def downgrade() -> None:
    op.drop_index(op.f("ix_shares_member"), table_name="shares")
    with op.batch_alter_table("shares") as shares:
        shares.drop_column("member")
        shares.drop_column("custom_title")
    op.drop_table("personal_tokens")
