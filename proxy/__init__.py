"""Speaks HTTP and the command line; every rule lives in :mod:`providers`."""

__version__ = "0.1.0"
