"""The double: a phpIPAM server, what people do in its web interface, and what tests look at and turn."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from tests.phpipam.addresses import told
from tests.phpipam.application import Application, Response
from tests.phpipam.asked import Request, path_and_query
from tests.phpipam.columns import OUTWARD, stored
from tests.phpipam.errors import AnswerLost, Refused
from tests.phpipam.fixture import fill_in
from tests.phpipam.numbers import is_address, is_numeric, number_of
from tests.phpipam.server import Call, served, wait

Row = dict[str, Any]

_INWARD = {outward: column for column, outward in OUTWARD.items()}
_BREAKS = {
    "lock": Refused(None, "Cannot obtain lock for /tmp/phpipam_api_lock.txt after 30.00 seconds"),
    "duplicate": Refused(
        500,
        "Error: SQLSTATE[23000]: Integrity constraint violation: 1062 Duplicate entry '1-1' for key 'sid_ip_unique'",
    ),
    "deadlock": Refused(
        500,
        "Error: SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock; try restarting "
        "transaction",
    ),
}


def kind_of(method: str, target: str) -> str:
    """A call without names and numbers: ``GET addresses/search``, ``POST user``, ``GET subnets/addresses``."""
    parameters = path_and_query(target.removeprefix("/"))
    controller, id_, id2 = (parameters.text(name) for name in ("controller", "id", "id2"))
    if not id_:
        what = f"{controller}/all" if method == "GET" and controller != "user" else controller
    elif is_address(id_):
        what = f"{controller}/by-ip"
    elif is_numeric(id_) or controller == "sections":
        what = f"{controller}/{id2}" if id2 else controller
    else:
        what = f"{controller}/{id_}"
    return f"{method} {what}"


class Double(Application):
    """A phpIPAM without any section. ``clock`` returns aware UTC datetimes.

    ``meanwhile`` maps a kind of call to what runs once before it is handled; ``lose`` to how often it is done and the
    answer lost; ``breaks`` to a list of "lock", "duplicate", "deadlock": what its next calls are refused with.
    ``latency`` is seconds per call. See Application for the rest.
    """

    def __init__(self, version: str = "1.8.2", clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(version, clock or (lambda: datetime.now(UTC)))
        self.calls: list[Call] = []
        self.meanwhile: dict[str, Callable[[], object]] = {}
        self.lose: dict[str, int] = {}
        self.breaks: dict[str, list[str]] = {}
        self.latency = 0.0
        self._hand = threading.RLock()

    @classmethod
    def recorded(cls, version: str = "1.8.2", clock: Callable[[], datetime] | None = None) -> Double:
        """With the sections, subnets and addresses that the recorded exchanges start from."""
        double = cls(version, clock)
        fill_in(double.store)
        return double

    def serve(self, tls: ssl.SSLContext | None = None, port: int = 0) -> AbstractContextManager[str]:
        """A server on 127.0.0.1; gives its URL, to which /api/<app>/ is to be added."""
        return served(self.answer, tls, port)

    def answer(self, request: Request) -> Response:
        kind = kind_of(request.method, request.target)
        happens = self.meanwhile.pop(kind, None)
        if happens is not None:
            happens()
        wait(self.latency)
        response = super().answer(request)
        app = path_and_query(request.target.removeprefix("/")).text("app_id")
        self.calls.append(Call(request.method, app, request.target, kind, response[0]))
        with self._hand:
            lost = self.lose.get(kind, 0)
            if lost:
                self.lose[kind] = lost - 1
                raise AnswerLost
        return response

    def _run(self, request: Request, *rest: Any) -> Any:
        with self._hand:
            broken = self.breaks.get(kind_of(request.method, request.target))
            if broken:
                raise _BREAKS[broken.pop(0)]
        return super()._run(request, *rest)

    # What is seen of clients

    def count(self, kind: str) -> int:
        """How many calls of a kind were answered."""
        return sum(call.kind == kind for call in self.calls)

    def forget_calls(self) -> None:
        """Begin to count anew."""
        self.calls.clear()

    # What people do in the web interface, which takes no lock

    def add_section(self, name: str) -> int:
        """The id of the section of that name, made if it is not there."""
        with self._statement:
            for key, row in self.store.sections.items():
                if row["name"] == name:
                    return key
            return self.store.add_section(name, "")

    def add_subnet(
        self,
        cidr: str,
        section: str | int,
        *,
        gateway: str | None = None,
        nameservers: str | None = None,
        vlan: int | None = None,
        full: bool = False,
        pool: bool = False,
        parent: int | None = None,
        description: str | None = None,
        custom_domain: str | None = None,
    ) -> int:
        """A subnet. A gateway is an address row of its own, as phpIPAM has it."""
        columns: Row = {"description": description, "custom_domain": custom_domain, "masterSubnetId": parent or 0}
        columns |= {"isFull": int(full), "isPool": int(pool)}
        with self._statement:
            if nameservers is not None:
                columns["nameserverId"] = self._add_nameservers(nameservers)
            if vlan is not None:
                columns["vlanId"] = self._add_vlan(vlan)
            key = self.store.add_subnet(cidr, self._section(section), **columns)
            if gateway is not None:
                self.add_address(key, gateway, is_gateway=1)
            return key

    def add_folder(self, name: str, section: str | int) -> int:
        """A folder, which is listed among the subnets."""
        with self._statement:
            return self.store.add_subnet(None, self._section(section), description=name)

    def change_subnet(self, subnet: int, **changes: Any) -> None:
        """By the names of ``add_subnet``: full, pool, description, custom_domain, nameservers, vlan."""
        columns = {"full": "isFull", "pool": "isPool", "parent": "masterSubnetId"}
        with self._statement:
            if "nameservers" in changes:
                changes["nameserverId"] = self._add_nameservers(changes.pop("nameservers"))
            if "vlan" in changes:
                changes["vlanId"] = self._add_vlan(changes.pop("vlan"))
            for name, value in changes.items():
                self.store.subnets[subnet].row[columns.get(name, name)] = int(value) if name in columns else value

    def remove_subnet(self, subnet: int) -> None:
        """With all its addresses."""
        with self._statement:
            self.store.remove_subnet(subnet)

    def subnet_id(self, cidr: str, section: str | int | None = None) -> int:
        """The id of a subnet that is there; KeyError when it is not."""
        network = ip_network(cidr)
        for key, net in self.store.subnets.items():
            same = (net.first, net.row["mask"]) == (int(network.network_address), str(network.prefixlen))
            if same and (section is None or net.row["sectionId"] == self._section(section)):
                return key
        raise KeyError(cidr)

    def add_address(self, subnet: int, address: str, **fields: Any) -> int:
        """Take an address; the id of its row. Raises Refused when it is taken."""
        values = {_INWARD.get(name, name): value for name, value in fields.items()}
        with self._statement:
            if values.get("is_gateway"):
                self.store.withdraw_gateway(subnet, self.clock())
            values = {column: stored(column, value) for column, value in values.items()}
            return self.store.insert_address(values | {"subnetId": subnet, "ip_addr": number_of(address)})

    def change_address(self, key: int, **fields: Any) -> None:
        """Change fields of a row."""
        values = {_INWARD.get(name, name): value for name, value in fields.items()}
        with self._statement:
            self.store.update_address(key, {name: stored(name, value) for name, value in values.items()}, self.clock())

    def remove_address(self, subnet: int, address: str) -> None:
        """Remove the row of an address that is there."""
        with self._statement:
            self.store.remove_address(self.store.subnets[subnet].addresses[number_of(address)]["id"])

    def clear(self, subnet: int) -> None:
        """Remove all its addresses."""
        with self._statement:
            for row in list(self.store.subnets[subnet].addresses.values()):
                self.store.remove_address(row["id"])

    def fill(self, subnet: int, many: int, first: str | None = None) -> None:
        """Take ``many`` addresses from the bottom up."""
        with self._statement:
            self.store.fill(subnet, many, first)

    def rows(self, subnet: int | None = None) -> list[Row]:
        """The rows of a subnet, or all, as ``GET addresses/{id}/`` tells them, by address."""
        with self._statement:
            nets = self.store.subnets.values() if subnet is None else [self.store.subnets[subnet]]
            found = [row for net in nets for row in net.addresses.values()]
            return [_outward(row) for row in sorted(found, key=lambda row: (row["ip_addr"], row["subnetId"]))]

    def row(self, subnet: int, address: str) -> Row | None:
        """The row of one address."""
        with self._statement:
            found = self.store.subnets[subnet].addresses.get(number_of(address))
            return None if found is None else _outward(found)

    # What goes wrong

    def expire_tokens(self) -> None:
        """As after six hours without a call."""
        self.accounts.expire()

    def revoke_tokens(self) -> None:
        """As when somebody calls DELETE /user/."""
        self.accounts.revoke()

    def refuse_logins(self, message: str | None) -> None:
        """Answer every log-in with HTTP 500 and this message; None ends it."""
        self.accounts.refusal = message

    @contextmanager
    def locked(self, kind: str = "file") -> Iterator[None]:
        """Somebody holds the write lock, and calls wait a twentieth of a second for it."""
        patient, self.lock_wait = self.lock_wait, 0.05
        try:
            with self.locks[kind]:
                yield
        finally:
            self.lock_wait = patient

    def _section(self, section: str | int) -> int:
        return section if isinstance(section, int) else self.add_section(section)

    def _add_nameservers(self, addresses: str) -> int:
        key = len(self.store.nameservers) + 1
        row = {"id": key, "name": f"NS {key}", "namesrv1": addresses, "description": "", "permissions": None}
        self.store.nameservers[key] = row | {"editDate": None}
        return key

    def _add_vlan(self, number: int) -> int:
        key = len(self.store.vlans) + 1
        row = {"vlanId": key, "domainId": 1, "name": f"vlan {number}", "number": number, "description": ""}
        self.store.vlans[key] = row | {"editDate": None, "customer_id": None}
        return key


def _outward(row: Row) -> Row:
    copy = told([row], lambda each: each["id"])[0]
    address = copy.pop("ip")
    return {OUTWARD.get(name, name): value for name, value in copy.items()} | {"ip": address}
