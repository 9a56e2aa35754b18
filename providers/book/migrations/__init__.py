"""The history of the book's tables, run by Alembic."""
