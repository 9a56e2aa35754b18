"""From a request to an answer: the checks before any controller, the write lock, the shape of the body."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.phpipam import addresses, sections, subnets
from tests.phpipam.accounts import Accounts, App, apps
from tests.phpipam.asked import Parameters, Request, from_body, path_and_query
from tests.phpipam.columns import CUSTOM
from tests.phpipam.errors import Died, Refused
from tests.phpipam.service import Answer, Service
from tests.phpipam.store import Store

WRITES = ("POST", "PUT", "PATCH", "DELETE")
_LOGGED = 65_400
"""How many bytes of a note fit into the log with what is around them."""

Handler = Callable[[Service], Answer]

_READS: dict[str, Handler] = {
    "addresses": addresses.get,
    "subnets": subnets.get,
    "sections": sections.get,
    "folders": sections.folder,
    "tools": sections.tools,
    "vlan": sections.vlan,
}
_CHANGES: dict[tuple[str, str], Handler] = {
    ("POST", "addresses"): addresses.post,
    ("PATCH", "addresses"): addresses.patch,
    ("PUT", "addresses"): addresses.patch,
    ("DELETE", "addresses"): addresses.delete,
    ("POST", "sections"): sections.post,
}

Response = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


class Application:
    """phpIPAM's API. Public attributes are what tests turn."""

    def __init__(self, version: str, clock: Callable[[], datetime]) -> None:
        self.version = version
        self.clock = clock
        self.store = Store()
        self.accounts = Accounts(clock)
        self.apps = apps(version)
        self.api_enabled = True
        self.allow_unsafe = True
        self.behind_tls = False
        self.behind_nginx = False
        self.stringify = False
        self.html_before_json = False
        self.whole_read_limit = 40_000
        self.lock_wait = 30.0
        self.sessions = 0
        self.locks = {"file": threading.Lock(), "mysql": threading.Lock()}
        # Controllers run one at a time, as statements of a database do; what waits for a lock waits outside.
        self._statement = threading.RLock()

    def answer(self, request: Request) -> Response:
        """What goes back over the wire; nothing is raised but what a test put in."""
        began = time.monotonic()
        headers = self._session(request)
        if "index.php" in request.target or not request.target.startswith("/api/"):
            return 302, headers | {"Location": "/login/", "Content-type": "text/html; charset=UTF-8"}, b""
        app: App | None = None
        parameters = Parameters()
        try:
            parameters = path_and_query(request.target.removeprefix("/"))
            app = self._app(parameters)
            answer = self._handle(request, parameters, app)
            status, members, ok = answer.status, answer.members, True
            if answer.location:
                headers["Location"] = answer.location
        except Refused as refusal:
            status, members, ok = refusal.status or 200, {"message": refusal.message}, False
            code = refusal.status or 500
        except Died:
            return 500, headers | {"Content-type": "text/html; charset=UTF-8"}, b""
        if status == 401:
            headers["Location"] = "/api//user/"
        body: dict[str, Any] = {"code": status if ok else code, "success": ok, **members}
        if self.stringify or request.headers.get("api-stringify-results", "0") not in {"", "0"}:
            body["data"] = _as_strings(body["data"]) if "data" in body else None
            body = {name: value for name, value in body.items() if value is not None}
        body["time"] = round(time.monotonic() - began, 5)
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogateescape")
        if request.method in WRITES:
            text = self._complaints(parameters, ok=ok).encode() + text
        return status, headers | {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-cache"}, text

    def _complaints(self, parameters: Parameters, *, ok: bool) -> str:
        """What phpIPAM says in HTML when it cannot write its own log, because a note is too long for that."""
        rows = ["details", "cdiff"] if ok else ["details"]
        if not self.html_before_json and len(parameters.text("note").encode("utf-8", "replace")) < _LOGGED:
            return ""
        sentence = "Error: SQLSTATE[22001]: String data, right truncated: 1406 Data too long for column '{}' at row 1"
        return "".join(f"<div class='alert alert-danger'>{sentence.format(row)}</div>" for row in rows)

    def _session(self, request: Request) -> dict[str, str]:
        """A call that brings no cookie makes a session, a row of its table."""
        cookie = request.headers.get("cookie", "")
        if "phpipam=" not in cookie:
            self.sessions += 1
            cookie = f"phpipam={secrets.token_hex(13)}"
        secure = "Secure; " if self._encrypted(request) else ""
        return {
            "Set-Cookie": f"{cookie}; expires=Fri, 01 Jan 2038 00:00:00 GMT; Max-Age=86400; path=/; SameSite=Lax; "
            f"{secure}HttpOnly;"
        }

    def _encrypted(self, request: Request) -> bool:
        return request.tls or (self.behind_tls and request.headers.get("x-forwarded-proto") == "https")

    def _app(self, parameters: Parameters) -> App:
        if not self.api_enabled:
            raise Refused(503, "API server disabled")
        app = self.apps.get(parameters.text("app_id"))
        if app is None:
            raise Refused(400, "Invalid application id")
        if app.permissions == 0 and self.version >= "1.8.2":
            raise Refused(503, "Application disabled")
        return app

    def _handle(self, request: Request, parameters: Parameters, app: App) -> Answer:
        open_enough = self.allow_unsafe if app.security == "none" else self._encrypted(request)
        if not open_enough:
            raise Refused(503, "SSL connection is required for API")
        if request.method in {"GET", "HEAD", *WRITES}:
            parameters.take(from_body(request))
        controller = parameters.text("controller")
        if controller != "user":
            self._authenticate(request, app)
        elif app.security == "ssl_code" and request.method in {"GET", "HEAD"}:
            raise Refused(409, "Authentication not needed")
        if not controller:
            raise Refused(400, "Request is not valid")
        if controller != "user" and request.method in WRITES and app.permissions < 2:
            raise Refused(401, "invalid permissions")
        kind = request.content_type.split(";")[0]
        # nginx gives PHP an empty type in place of none, and 1.8 is the first to take it for what it is.
        unfit = not kind and self.behind_nginx and self.version < "1.8"
        if unfit or kind not in {"", "application/x-www-form-urlencoded", "application/xml", "application/json"}:
            raise Refused(415, f"Invalid Content type {kind}")
        if controller != "user" and controller not in _READS:
            raise Refused(400, "Invalid controller")
        if app.nested and request.method in {"POST", "PATCH", "PUT"}:
            _flatten(parameters)
        if request.method not in {"GET", "HEAD", *WRITES}:
            raise Refused(501, "Not Implemented")
        return self._locked(request, parameters, app)

    def _locked(self, request: Request, parameters: Parameters, app: App) -> Answer:
        """Every write of the whole phpIPAM waits for the one lock of its kind."""
        lock = self.locks.get(app.lock) if request.method in WRITES else None
        if lock is None:
            return self._run(request, parameters, app)
        if not lock.acquire(timeout=self.lock_wait):
            wait = f"{self.lock_wait:.2f} seconds"
            if app.lock == "mysql":
                raise Refused(None, f"MySQL wait timeout exceeded after {wait}")
            raise Refused(None, f"Cannot obtain lock for /tmp/phpipam_api_lock.txt after {wait}")
        try:
            return self._run(request, parameters, app)
        finally:
            lock.release()

    def _run(self, request: Request, parameters: Parameters, app: App) -> Answer:
        if parameters.text("controller") == "user":
            return self._user(request, parameters, app)
        service = Service(self.store, parameters, app, self.clock, self.whole_read_limit, self.version)
        controller = parameters.text("controller")
        read = request.method in {"GET", "HEAD"}
        handler = _READS[controller] if read else _CHANGES.get((request.method, controller))
        if handler is None:
            raise Refused(501, "Not Implemented")
        with self._statement:
            answer = handler(service)
        if app.nested and "data" in answer.members:
            service.results.nested(answer.members["data"])
        return answer

    def _authenticate(self, request: Request, app: App) -> None:
        self.accounts.check_block(request.client)
        if app.security == "ssl_code":
            code = request.headers.get("phpipam-token", request.headers.get("token", ""))
            if code.lower() != app.code:
                raise Refused(401, "Unauthorized")
            return
        user, _ = self.accounts.of_token(request)
        if user is None:
            raise Refused(401, "Unauthorized")
        self.accounts.extend(user)

    def _user(self, request: Request, parameters: Parameters, app: App) -> Answer:
        id_ = parameters.text("id")
        if request.method in {"GET", "HEAD"} and id_ not in {"", "token_expires", "token", "all", "admins"}:
            raise Refused(400, "Invalid identifier")
        self.accounts.check_block(request.client)
        if request.method == "POST":
            user = self.accounts.log_in(request)
            return Answer(200, {"data": {"token": user.token, "expires": _moment(user.expires)}})
        found, why = self.accounts.of_token(request)
        if found is None:
            raise Refused(403, why)
        if request.method == "DELETE":
            found.token = found.expires = None
            return Answer(200, {"data": ["Token removed"]})
        if id_ in {"all", "admins"} and app.permissions != 3:
            raise Refused(503, "Invalid app permissions")
        if request.method != "GET":
            self.accounts.extend(found)
        return Answer(200, {"data": {"expires": _moment(found.expires)}})


def _flatten(parameters: Parameters) -> None:
    nested = parameters.pop("custom_fields", None)
    for name, value in nested.items() if isinstance(nested, dict) else []:
        if name not in CUSTOM:
            raise Refused(400, f"{name} is not a valid custom field")
        parameters[name] = value


def _moment(when: datetime | None) -> str | None:
    return None if when is None else when.strftime("%Y-%m-%d %H:%M:%S")


def _as_strings(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _as_strings(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_as_strings(value) for value in data]
    return str(data) if isinstance(data, (int, float)) else data
