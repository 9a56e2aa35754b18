"""A phpIPAM for tests: keeps everything in memory and answers as the measured one does, oddities included.

``Double`` is the server and the hands that people have in its web interface. ``FaultProxy`` in ``faults`` stands in
front of any HTTP server and breaks the line; ``certificates`` makes good and expired ones. What the answers have to be
is in ``tests/recorded/phpipam``, which ``test_replay`` asks for.

==================  =========================================================================================
``double``          the handles of tests: what people do, what is seen of clients, what goes wrong
``application``     from a request to an answer: the checks before any controller, the lock, the body
``asked``           path, query and body as parameters
``accounts``        users, apps, tokens, log-ins that fail
``addresses``, ``subnets``, ``sections``  the controllers; ``service`` is what they have in hand
``results``         links, filters, dots and names on rows
``store``           the tables; ``columns`` is what the database makes of a value, ``numbers`` of an address
``fixture``         what the recorded exchanges start from; ``recorded`` reads them
``server``          HTTP; ``separate`` and ``__main__`` run it in a process of its own
``client``          somebody else's script on the API
``real_server``     a real phpIPAM that the environment names
==================  =========================================================================================
"""

from tests.phpipam.double import Double
from tests.phpipam.server import Call

__all__ = ["Call", "Double"]
