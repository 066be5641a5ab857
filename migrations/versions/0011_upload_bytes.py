"""The size of uploads that were not committed, for lists that are sorted by it."""

import sqlalchemy as sa
from alembic import op

revision = "0011_upload_bytes"
down_revision = "0010_views"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("upload_bytes", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("shares") as shares:
        shares.drop_column("upload_bytes")
