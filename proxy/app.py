"""The application: the faces, each where its module is enabled, and what holds for all of them."""

from __future__ import annotations

from flask import Flask, Response, abort, request

from providers.address_book import AddressBook
from proxy.api import dhcp, ipam, root
from proxy.api.form import LARGEST_BODY, MOST_FIELDS
from proxy.errors import handle_errors
from proxy.paths import Paths
from proxy.request_id import HEADER, request_id
from proxy.service import Service, provide
from proxy.settings import Settings


def create_app(book: AddressBook, settings: Settings) -> Flask:
    """Return the WSGI application that serves ``book`` as ``settings`` say.

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
    app.wsgi_app = Paths(app.wsgi_app)  # type: ignore[method-assign]
    provide(app, Service(book, settings))
    handle_errors(app)
    app.before_request(_refuse_large_body)
    app.after_request(_mark)
    app.register_blueprint(root.face)
    modules = ((dhcp.face, settings.dhcp.enabled), (ipam.face, settings.externalipam.enabled))
    for face, enabled in modules:
        if enabled:
            app.register_blueprint(face)
    _keep_to_listeners(app, {face.name: enabled for face, enabled in modules if isinstance(enabled, str)})
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


def _mark(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers[HEADER] = request_id()
    return response
