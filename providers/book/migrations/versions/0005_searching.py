"""Indexes by which reservations of one use, and events of one subnet, are found among very many.

And, for SQLite, how selective some indexes are. Knowing nothing, it takes the first column of a primary key for about
as good as an index on two columns, and reads all DHCP hosts of a subnet to find those of one address.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_SELECTIVE = {
    "dhcp_hosts": {
        "dhcp_hosts": "100000 1000 1",
        "sqlite_autoindex_dhcp_hosts_2": "100000 1000 1",
        "ix_dhcp_hosts_subnet_id_address": "100000 1000 1",
        "ix_dhcp_hosts_mac": "100000 1",
    },
    "rests": {
        "rests": "10000 1000 1",
        "ix_rests_subnet_id_key": "10000 1000 2",
        "ix_rests_subnet_id_expires_at": "10000 1000 10",
    },
}
"""By table and index: rows, and rows to one value of the first column, of the first two, and so on. See
https://www.sqlite.org/fileformat2.html#the_sqlite_stat1_table; the index that is the table has its name."""


def upgrade() -> None:
    """Make the indexes; what is in the book stays as it is."""
    op.create_index("ix_uses_use_subnet_id_address", "uses", ["use", "subnet_id", "address"])
    op.create_index("ix_events_subnet", "events", ["subnet"])
    if op.get_bind().dialect.name == "sqlite":
        for table, indexes in _SELECTIVE.items():
            op.execute(f"ANALYZE {table}")
            op.execute(sa.text("DELETE FROM sqlite_stat1 WHERE tbl = :tbl").bindparams(tbl=table))
            for index, stat in indexes.items():
                values = sa.text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)")
                op.execute(values.bindparams(tbl=table, idx=index, stat=stat))
