"""What the routes of ``/api/v1`` take and give, one module per subject.

``...Query`` and ``...Body`` are read, ``...Row`` and ``...List`` say what the rows of :mod:`proxy.rows` look like.
"""
