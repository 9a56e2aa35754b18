"""Tests of the SQL database."""
