"""Which object is a copy that `flask shares checkpoint` made."""

import sqlalchemy as sa
from alembic import op

revision = "0012_copy_etag"
down_revision = "0011_upload_bytes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("copy_etag", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("shares") as shares:
        shares.drop_column("copy_etag")
