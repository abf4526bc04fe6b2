"""What people say belongs to no category."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("classifications", "category_id", existing_type=sa.Uuid(), nullable=True)
    op.create_check_constraint(
        op.f("ck_classifications_none_is_said"),
        "classifications",
        "category_id IS NOT NULL OR NOT is_predicted AND NOT assigned",
    )


def downgrade() -> None:
    op.execute("DELETE FROM classifications WHERE category_id IS NULL")
    op.drop_constraint(op.f("ck_classifications_none_is_said"), "classifications", type_="check")
    op.alter_column("classifications", "category_id", existing_type=sa.Uuid(), nullable=False)
