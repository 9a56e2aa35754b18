"""How Alembic reaches the book: over the connection that the upgrade hands in."""

from __future__ import annotations

from alembic import context

from providers.book.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
