"""When OpenCode went on without the plugin that has shared a session."""

import sqlalchemy as sa
from alembic import op

revision = "0014_plugin_missing"
down_revision = "0013_removal_secret"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("plugin_missing_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("shares") as shares:
        shares.drop_column("plugin_missing_at")
