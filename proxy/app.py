"""The application: the faces, each where its module is enabled, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flask import Flask, Response, abort, request

from providers.address_book import AddressBook
from proxy.access.guard import Guard, guard_app, guard_for
from proxy.api import dhcp, ipam, logs, phpipam, root, v1
from proxy.api.form import LARGEST_BODY, MOST_FIELDS
from proxy.api.v1.errors import answer_to_http
from proxy.errors import handle_errors
from proxy.logs.context import Traced
from proxy.paths import Paths
from proxy.peer import Peers, peer_of
from proxy.request_id import HEADER, request_id
from proxy.service import Service, provide
from proxy.settings import Settings

FACES = (root.face, dhcp.face, ipam.face, logs.face, v1.face, phpipam.face)
"""Every face that can be enabled."""


def create_app(
    book: AddressBook,
    settings: Settings,
    *,
    guard: Guard | None = None,
    failed_modules: Mapping[str, str] = MappingProxyType({}),
) -> Flask:
    """Return the WSGI application that serves ``book`` as ``settings`` say; ``guard`` is what they ask for by default.

    A module in ``failed_modules`` is not served; Foreman's Logs page shows the reason that is given for it.

    Nothing redirects: a path that differs from a route by a slash is another path, as in the smart proxy.
    """
    app = Flask("proxy", static_folder=None, template_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY + 1,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        MAX_FORM_PARTS=MOST_FIELDS,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    app.url_map.merge_slashes = False
    app.wsgi_app = Peers(Traced(Paths(app.wsgi_app)), settings)  # type: ignore[method-assign]
    provide(app, Service(book, settings, failed_modules))
    handle_errors(app, {v1.PREFIX: answer_to_http, phpipam.PREFIX: phpipam.answer_to_http})
    app.before_request(_refuse_large_body)
    app.before_request(lambda: _refuse_unreadable_peer(settings))
    app.after_request(_mark)
    app.register_blueprint(root.face)
    modules = (
        ("dhcp", dhcp.face, settings.dhcp.enabled),
        ("externalipam", ipam.face, settings.externalipam.enabled),
        ("logs", logs.face, settings.logs.enabled),
        ("api", v1.face, settings.api.enabled),
        ("phpipam", phpipam.face, settings.phpipam.enabled),
    )
    for name, face, enabled in modules:
        if enabled and name not in failed_modules:
            app.register_blueprint(face)
    _keep_to_listeners(app, {face.name: enabled for _, face, enabled in modules if isinstance(enabled, str)})
    # Last: what is not there is 404 for everybody, whoever they are.
    guard_app(app, guard or guard_for(book, settings))
    return app


def routes_only() -> Flask:
    """Return an application with the routes of all faces and nothing behind them: to be looked at, not to be called."""
    app = Flask("proxy", static_folder=None, template_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    for face in FACES:
        app.register_blueprint(face)
    return app


def _keep_to_listeners(app: Flask, schemes: dict[str, str]) -> None:
    """Let the faces named in ``schemes`` answer only where the request came by that scheme."""
    if not schemes:
        return

    def refuse_other_scheme() -> None:
        if schemes.get(request.blueprint or "", request.scheme) != request.scheme:
            abort(404)

    app.before_request(refuse_other_scheme)


def _refuse_large_body() -> None:
    """Also where the body would not be read."""
    if (request.content_length or 0) > LARGEST_BODY:
        abort(413)


def _refuse_unreadable_peer(settings: Settings) -> None:
    """Raise InvalidValue when a reverse proxy sent headers that cannot be read."""
    peer_of(request.environ, settings)


def _mark(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers[HEADER] = request_id()
    return response
