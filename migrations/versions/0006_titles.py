"""Title and project of the session, for lists of shares."""

import sqlalchemy as sa
from alembic import op

revision = "0006_titles"
down_revision = "0005_checkpoints"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("title", sa.Text(), nullable=True))
    op.add_column("shares", sa.Column("project", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("shares") as shares:
        shares.drop_column("project")
        shares.drop_column("title")
