"""What OpenCode can remove a share with when the plugin is gone, as a hash."""

import sqlalchemy as sa
from alembic import op

revision = "0013_removal_secret"
down_revision = "0012_copy_etag"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("removal_secret", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("shares") as shares:
        shares.drop_column("removal_secret")
