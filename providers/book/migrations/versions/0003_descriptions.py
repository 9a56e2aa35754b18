"""What has an address, in a few words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Give reservations a description; those that are there have none."""
    op.add_column("reservations", sa.Column("description", sa.String(255)))
