"""Which DHCP hosts are on their way to the DHCP server, or away from it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from providers.book.columns import Moment

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Give DHCP hosts a mark and when it was made; those that are there have none."""
    op.add_column("dhcp_hosts", sa.Column("pending", sa.String(8)))
    op.add_column("dhcp_hosts", sa.Column("pending_since", Moment))
