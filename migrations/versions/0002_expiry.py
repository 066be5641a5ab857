"""When a share expires, and the token that made it."""

import sqlalchemy as sa
from alembic import op

revision = "0002_expiry"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("expires_at", sa.DateTime(timezone=True)))
    op.add_column("shares", sa.Column("created_by", sa.Text()))


def downgrade() -> None:
    with op.batch_alter_table("shares") as shares:
        shares.drop_column("created_by")
        shares.drop_column("expires_at")
