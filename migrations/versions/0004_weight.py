"""How many messages and parts a share made by OpenCode's own protocol may have, at most."""

import sqlalchemy as sa
from alembic import op

revision = "0004_weight"
down_revision = "0003_native"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("weight", sa.BigInteger(), server_default="0", nullable=False))
    # Nothing weighs more than it has bytes; what it does weigh is found when it is folded next.
    op.execute("UPDATE shares SET weight = document_bytes + pending_bytes")


def downgrade() -> None:
    with op.batch_alter_table("shares") as shares:
        shares.drop_column("weight")
