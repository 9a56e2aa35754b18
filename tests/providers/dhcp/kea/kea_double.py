"""Stands in for a Kea with ``host_cmds``, after ISC's reference manual: none with an open one is to be had here.

It answers over HTTP with a list of one, or over a Unix socket with an object, and bears no command that does not name
``dhcp4``, and that alone, as its service.
"""

from __future__ import annotations

import json
import socketserver
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

USER, PASSWORD = "leasehold", "secret"
_AUTHORIZATION = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
_SUBNETS = {"10.0.1.0/28": 11, "10.0.2.0/28": 12, "10.0.2.0/24": 13}

Answer = dict[str, Any]


class KeaDouble:
    """Keeps reservations by subnet id and MAC; ``away`` lets it break off every connection."""

    def __init__(self, *, database: bool) -> None:
        self.database = database
        self.reservations: dict[tuple[int, str], dict[str, Any]] = {}
        self.targets: list[str] = []
        self.commands: list[str] = []
        self.leases: list[dict[str, Any]] = []
        self.away = False
        self._gate = threading.Lock()

    def answer(self, document: dict[str, Any]) -> Answer:
        """What Kea says to a command."""
        if document.get("service") != ["dhcp4"]:
            return {"result": 1, "text": "unsupported service"}
        command = document["command"]
        work = getattr(self, f"_{command.replace('-', '_')}", None)
        if work is None:
            return {"result": 2, "text": f"'{command}' command not supported."}
        with self._gate:
            self.commands.append(command)
            return work(document.get("arguments") or {})

    def _list_commands(self, _: dict[str, Any]) -> Answer:
        known = [name[1:].replace("_", "-") for name in dir(self) if name.startswith("_") and name.count("_") > 1]
        return {"result": 0, "arguments": [name for name in known if not name.startswith("-")]}

    def _version_get(self, _: dict[str, Any]) -> Answer:
        return {"result": 0, "text": "3.0.0", "arguments": {"extended": "3.0.0"}}

    def _config_get(self, _: dict[str, Any]) -> Answer:
        dhcp4: dict[str, Any] = {
            "subnet4": [{"id": number, "subnet": cidr, "reservations": []} for cidr, number in _SUBNETS.items()],
            "ip-reservations-unique": False,
        }
        if self.database:
            dhcp4["hosts-databases"] = [{"type": "postgresql", "name": "kea"}]
        return {"result": 0, "arguments": {"Dhcp4": dhcp4}}

    def _config_write(self, _: dict[str, Any]) -> Answer:
        return {"result": 0, "text": "Configuration written"}

    def _reservation_add(self, arguments: dict[str, Any]) -> Answer:
        self.targets.append(arguments["operation-target"])
        given = dict(arguments["reservation"])
        key = given["subnet-id"], given["hw-address"]
        if key in self.reservations:
            return {"result": 1, "text": "Database duplicate entry error"}
        self.reservations[key] = {"client-classes": [], "option-data": [], "server-hostname": "", **given}
        return {"result": 0, "text": "Host added."}

    def _reservation_del(self, arguments: dict[str, Any]) -> Answer:
        self.targets.append(arguments["operation-target"])
        if self.reservations.pop((arguments["subnet-id"], arguments["identifier"]), None) is None:
            return {"result": 1, "text": "Host not deleted (not found)."}
        return {"result": 0, "text": "Host deleted."}

    def _reservation_get(self, arguments: dict[str, Any]) -> Answer:
        found = self.reservations.get((arguments["subnet-id"], arguments["identifier"]))
        if found is None:
            return {"result": 3, "text": "Host not found."}
        return {"result": 0, "text": "Host found.", "arguments": found}

    def _reservation_get_page(self, arguments: dict[str, Any]) -> Answer:
        found = [each for (number, _), each in self.reservations.items() if number == arguments["subnet-id"]]
        start = arguments.get("from", 0)
        page = found[start : start + min(arguments["limit"], 2)]
        if not page:
            return {"result": 3, "text": "0 IPv4 host(s) found."}
        following = {"from": start + len(page), "source-index": 1}
        return {"result": 0, "arguments": {"count": len(page), "hosts": page, "next": following}}

    def _lease4_get_page(self, arguments: dict[str, Any]) -> Answer:
        start = arguments["from"]
        found = self.leases if start == "start" else []
        if not found:
            return {"result": 3, "text": "0 IPv4 lease(s) found."}
        return {"result": 0, "arguments": {"leases": found, "count": len(found)}}


@contextmanager
def over_http(kea: KeaDouble) -> Iterator[str]:
    """The URL at which the double answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if kea.away:
                self.close_connection = True
                return
            status, text = 200, json.dumps([kea.answer(json.loads(body))]).encode()
            if self.headers.get("Authorization") != _AUTHORIZATION:
                status, text = 401, b'{"result": 401, "text": "Unauthorized"}'
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, _running(server):
        yield f"http://127.0.0.1:{server.server_port}/"


@contextmanager
def over_unix(kea: KeaDouble, path: Path) -> Iterator[str]:
    """The socket at which the double answers."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            text = b""
            while True:
                text += self.request.recv(1 << 16)
                try:
                    document = json.loads(text)
                    break
                except ValueError:
                    continue
            if not kea.away:
                self.request.sendall(json.dumps(kea.answer(document)).encode())

    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server, _running(server):
        yield str(path)


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(60)
