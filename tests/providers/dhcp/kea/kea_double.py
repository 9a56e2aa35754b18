"""Stands in for a Kea with ``host_cmds`` where there is none: it answers as Kea 3.0.3 did, word for word.

``test_named_kea`` holds such a Kea against the same. It answers over HTTP with a list of one, or over a Unix socket
with an object, and bears no command that does not name ``dhcp4``, and that alone, as its service.
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
Hosts = dict[tuple[int, str], dict[str, Any]]

_SOURCES = ("memory", "database")


class KeaDouble:
    """Keeps reservations by subnet id and MAC.

    ``away`` lets it break off every connection, ``lost`` be without its database, ``full`` not save its configuration.
    """

    def __init__(self, *, database: bool) -> None:
        self.database = database
        self.hosts: dict[str, Hosts] = {source: {} for source in _SOURCES[: 1 + database]}
        self.unique = False
        self.lost = False
        self.full = False
        self.numbers = dict(_SUBNETS)
        self.loaded = {"pid": 100, "reload": 1000}
        self.more: dict[str, Any] = {}
        self.targets: list[str] = []
        self.commands: list[str] = []
        self.deleted: list[str] = []
        self.leases: list[dict[str, Any]] = []
        self.away = False
        self._gate = threading.Lock()

    def at(self, number: int) -> dict[str, str]:
        """The address of each MAC that has a reservation in a subnet."""
        return {mac: each["ip-address"] for (id_, mac), each in self._all().items() if id_ == number}

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
        return {"result": 0, "text": "3.0.3", "arguments": {"extended": "3.0.3 (3.0.3 (tarball))"}}

    def _status_get(self, _: dict[str, Any]) -> Answer:
        return {"result": 0, "text": "", "arguments": {**self.loaded, "uptime": 2000}}

    def _config_get(self, _: dict[str, Any]) -> Answer:
        subnets = [
            {"id": number, "subnet": cidr, "reservations": [
                each for (id_, _), each in self.hosts["memory"].items() if id_ == number
            ]}
            for cidr, number in self.numbers.items()
        ]  # fmt: skip
        dhcp4: dict[str, Any] = {"subnet4": subnets, "ip-reservations-unique": self.unique, **self.more}
        if self.database:
            dhcp4["hosts-databases"] = [{"type": "postgresql", "name": "kea"}]
        return {"result": 0, "arguments": {"Dhcp4": dhcp4, "hash": "CA43"}}

    def _config_write(self, _: dict[str, Any]) -> Answer:
        if self.full:
            return {"result": 1, "text": "Error during config-write: Unable to open file kea.conf for writing"}
        return {"result": 0, "text": "Configuration written to kea.conf successful"}

    def _reservation_add(self, arguments: dict[str, Any]) -> Answer:
        target = arguments["operation-target"]
        self.targets.append(target)
        given = dict(arguments["reservation"])
        number, mac, address = given["subnet-id"], given["hw-address"], given["ip-address"]
        if number not in self.numbers.values():
            return {"result": 1, "text": f"IPv4 subnet with ID of '{number}' is not configured"}
        hosts = self._of(target)
        if hosts is None:
            return {"result": 1, "text": "Host database not available, cannot add host."}
        there = {each["ip-address"] for (id_, _), each in hosts.items() if id_ == number}
        if (number, mac) in hosts or (self.unique and address in there):
            text = f"failed to add new host using the HW address '{mac}' to the IPv4 subnet id '{number}' as this host "
            memory = text + "has already been added"
            return {"result": 1, "text": "Database duplicate entry error" if target == "database" else memory}
        hosts[number, mac] = {"client-classes": [], "option-data": [], "server-hostname": "", **given}
        return {"result": 0, "text": "Host added."}

    def _reservation_del(self, arguments: dict[str, Any]) -> Answer:
        self.targets.append(arguments["operation-target"])
        hosts = self._of(arguments["operation-target"])
        if hosts is None:
            text = "Unable to delete a host because there is no hosts-database configured."
            return {"result": 1, "text": text}
        if hosts.pop((arguments["subnet-id"], arguments["identifier"]), None) is None:
            return {"result": 3, "text": "Host not deleted (not found)."}
        self.deleted.append(arguments["identifier"])
        return {"result": 0, "text": "Host deleted."}

    def _reservation_get(self, arguments: dict[str, Any]) -> Answer:
        target = arguments.get("operation-target", "all")
        hosts = self._all() if target == "all" else self._of(target) or {}
        found = hosts.get((arguments["subnet-id"], arguments["identifier"]))
        if found is None:
            return {"result": 3, "text": "Host not found."}
        return {"result": 0, "text": "Host found.", "arguments": found}

    def _reservation_get_by_address(self, arguments: dict[str, Any]) -> Answer:
        wanted = arguments["subnet-id"], arguments["ip-address"]
        found = [
            each for source in _SOURCES for (number, _), each in (self._of(source) or {}).items()
            if (number, each["ip-address"]) == wanted
        ]  # fmt: skip
        text = f"{len(found)} IPv4 host(s) found."
        return {"result": 0 if found else 3, "text": text, "arguments": {"hosts": found}}

    def _reservation_get_page(self, arguments: dict[str, Any]) -> Answer:
        source = arguments.get("source-index", 0)
        start = arguments.get("from", 0)
        for index in range(source, len(_SOURCES)):
            hosts = self._of(_SOURCES[index]) or {}
            found = [each for (number, _), each in hosts.items() if number == arguments["subnet-id"]]
            page = found[start : start + min(arguments["limit"], 2)]
            if page:
                following = {"from": start + len(page), "source-index": index}
                return {"result": 0, "arguments": {"count": len(page), "hosts": page, "next": following}}
            start = 0
        return {"result": 3, "text": "0 IPv4 host(s) found.", "arguments": {"count": 0, "hosts": []}}

    def _of(self, target: str) -> Hosts | None:
        return None if target == "database" and self.lost else self.hosts.get(target)

    def _all(self) -> Hosts:
        return {**(self._of("database") or {}), **self.hosts["memory"]}

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
