"""What phpIPAM has and Leasehold does not, so that whoever asks for it hears so in an object too."""

from __future__ import annotations

from flask import Response

from proxy.access import Policy, access
from proxy.api.phpipam.envelope import Refused
from proxy.api.phpipam.face import face

_CONTROLLERS = {"addresses", "sections", "subnets", "tools", "user"}


@face.get("/<app>/", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def no_controller(app: str) -> Response:
    """The app alone."""
    raise Refused(400, "Request is not valid")


@face.get("/<app>/<path:rest>", strict_slashes=False)
@access(Policy.READ, keeps_limits=True)
def nothing_here(app: str, rest: str) -> Response:
    """Any other path."""
    controller = rest.partition("/")[0].lower()
    raise Refused(400, "Invalid request" if controller in _CONTROLLERS else "Invalid controller")
