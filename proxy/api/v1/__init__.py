"""``/api/v1``: everything that the address book can do, as JSON, for people with curl and for programs.

====================  ====================================================================
``subnets``           ``/groups``, ``/subnets``
``addresses``         ``/addresses``
``holds``             ``/holds``, ``/subnets/.../next``
``guests``            ``/guests``; ``reports`` reads what nodes say
``claims``            ``/claims``, ``/guests/.../claim``
``events``            ``/events``
``documents``         ``/openapi.json`` as ``openapi`` makes it, and ``/docs``, which is a ``page`` of it
``operation``         what a route takes and gives, said once
``schemas``           the shapes of queries, bodies and rows, made of ``fields``
``face``              the blueprint, and how errors in it are told
``body``, ``errors``  reading JSON, and the one shape of errors
``places``            the subnets that a request means
====================  ====================================================================
"""

from __future__ import annotations

from proxy.api.v1 import addresses, claims, documents, events, guests, holds, subnets
from proxy.api.v1.face import PREFIX, face

__all__ = ["PREFIX", "face"]

_MODULES = (addresses, claims, documents, events, guests, holds, subnets)
