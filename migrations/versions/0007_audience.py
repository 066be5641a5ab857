"""Who may read a share, and the hash of its password."""

import sqlalchemy as sa
from alembic import op

revision = "0007_audience"
down_revision = "0006_titles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("audience", sa.Text(), nullable=True))
    op.add_column("shares", sa.Column("password", sa.Text(), nullable=True))


def downgrade() -> None:
    # A release that knows no passwords would show these sessions to everybody.
    op.execute("UPDATE shares SET expires_at = created_at WHERE audience IS NOT NULL AND audience <> 'link'")
    with op.batch_alter_table("shares") as shares:
        shares.drop_column("password")
        shares.drop_column("audience")
