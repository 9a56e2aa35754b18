"""``/phpipam/api/APP/...``: the calls of phpIPAM's REST API that hand out addresses, for clients that know only those.

``cbsd ipam`` is one. What they look like was recorded from phpIPAM 1.8.2 (tests/recorded/phpipam/);
docs/phpipam-api.md says what differs, and why. The name of the app does not matter.

====================  ==========================================================
``face``              the blueprint: paths, bodies, errors
``envelope``          the object that every answer is
``fields``            what a client sends of an address
``shapes``            what it is sent; ``identifiers``: the numbers in it
``filtering``         ``filter_by`` on lists
``lookup``            from what a path says to what the book knows
``taking``            for whom an address is offered or taken
``user``              log-in and token
``sections``, ``subnets``, ``addresses``, ``changes``, ``other``    the routes
====================  ==========================================================
"""

from __future__ import annotations

from proxy.api.phpipam import addresses, changes, other, sections, subnets, user
from proxy.api.phpipam.face import PREFIX, answer_to_http, face

__all__ = ["PREFIX", "answer_to_http", "face"]

_MODULES = (addresses, changes, other, sections, subnets, user)
