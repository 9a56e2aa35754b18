"""The controller ``addresses``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from tests.phpipam.columns import CUSTOM, EMPTY, OUTWARD, stored
from tests.phpipam.errors import Died, Refused
from tests.phpipam.numbers import dotted, is_address, is_numeric, key_of, number_of
from tests.phpipam.service import Answer, Service

Row = dict[str, Any]


def told(rows: Iterable[Row], same: Callable[[Row], object], *, every: bool = False) -> list[Row]:
    """Copies as phpIPAM holds them: the number as text, and the dotted form as ``ip`` at the end.

    Of several rows that are the ``same`` in what was searched for, only the first gets an ``ip``: the others meet it
    in a cache and are passed over. Versions before 1.8.2 give it to ``every`` one.
    """
    found, seen = [], set()
    for row in rows:
        copy = row | {"ip_addr": str(row["ip_addr"])}
        if every or same(row) not in seen:
            seen.add(same(row))
            copy["ip"] = dotted(row["ip_addr"])
        found.append(copy)
    return found


def get(service: Service) -> Answer:
    """Read one, or search."""
    parameters, store = service.parameters, service.store
    id_, id2 = parameters.text("id"), parameters.text("id2")
    if id_ in {"", "all"}:
        rows = told(store.addresses.values(), lambda row: row["id"])
        return service.data(service.results.of(rows, "addresses"))
    if id_ == "custom_fields":
        return service.data({name: {"name": name, **of, "Null": "YES", "Default": None} for name, of in CUSTOM.items()})
    if id_ == "first_free":
        return _first_free(service)
    if is_address(id_) and parameters.has("id2"):
        return _by_address(service)
    if id_ == "tags":
        return _tags(service)
    if is_numeric(id_):
        return _by_id(service)
    if id_.startswith("search"):
        return _search(service, id_, id2)
    raise Refused(400, "Invalid Id")


def _first_free(service: Service) -> Answer:
    subnet = service.parameters.get("subnetId", service.parameters.get("id2"))
    free = service.store.first_free(key_of(subnet))
    if free is None:
        raise Refused(404, "No free addresses found")
    return service.data(dotted(free))


def _by_address(service: Service) -> Answer:
    """Text is compared, and from 1.8.2 on only with the row of the lowest id in the subnet."""
    subnet = service.store.subnets.get(key_of(service.parameters.get("id2")))
    rows = sorted(subnet.addresses.values(), key=lambda row: row["id"]) if subnet else []
    for row in told(rows, lambda row: row["subnetId"], every=service.old_search):
        if row.get("ip") == service.parameters.text("id"):
            return service.data(row)
    raise Refused(404, "No addresses found")


def _by_id(service: Service) -> Answer:
    if service.parameters.text("id2") == "changelog":
        _existing(service)
        raise Refused(404, "No changelogs found")
    row = service.store.addresses.get(key_of(service.parameters.get("id")))
    if row is None:
        raise Refused(404, "Invalid Id")
    return service.data(service.results.of(told([row], lambda row: row["id"])[0], "addresses"))


def _tags(service: Service) -> Answer:
    if service.parameters.text("id3") == "addresses":
        return of_tag(service)
    asked = service.parameters.get("id2")
    if asked is None:
        return service.data(service.results.of([dict(tag) for tag in service.store.tags], "addresses/tags"))
    return service.data(service.results.of(_tag(service), "addresses/tags"))


def _tag(service: Service) -> Row:
    asked = service.parameters.get("id2")
    if not is_numeric(asked):
        raise Refused(400, "Invalid tag identifier")
    for tag in service.store.tags:
        if tag["id"] == key_of(asked):
            return dict(tag)
    raise Refused(404, "Address tag does not exist")


def of_tag(service: Service) -> Answer:
    """All addresses that have a tag."""
    tag, subnet = _tag(service)["id"], service.parameters.get("subnetId")
    rows = [row for row in service.store.addresses.values() if row["state"] == tag]
    if is_numeric(subnet):
        rows = [row for row in rows if row["subnetId"] == key_of(subnet)]
    if not rows:
        raise Refused(404, "No addresses found")
    found = told(rows, lambda row: row["state"], every=service.old_search)
    return service.data(service.results.of(found, "addresses", dots=False))


def _search(service: Service, kind: str, text: str) -> Answer:
    store, every = service.store, service.old_search
    if kind == "search":
        if not is_address(text) and not is_numeric(text):
            raise Refused(400, "Invalid address")
        found = told(store.at(number_of(text)), lambda row: row["ip_addr"], every=every)
        missing, dots = "Address not found", True
    elif kind == "search_mac":
        mac = written_mac(text)
        found = told(_where(service, lambda row: row["mac"] == mac), lambda row: row["mac"], every=every)
        missing, dots = "Host name not found", False
    elif kind in {"search_hostname", "search_hostbase"}:
        found = told(_by_hostname(service, kind, text), lambda row: row["hostname"], every=every)
        missing, dots = "Hostname not found" if kind == "search_hostname" else "Host name not found", False
    else:
        raise Refused(400, "Invalid Id")
    if not found:
        raise Refused(404, missing)
    return service.data(service.results.of(found, "addresses", links=dots, dots=dots))


def _by_hostname(service: Service, kind: str, text: str) -> list[Row]:
    """Letter case does not count; a start may hold the wild cards of SQL, and is sorted by name."""
    if kind == "search_hostname":
        return _where(service, lambda row: (row["hostname"] or "").lower() == text.lower() and text != "")
    parts = {"%": ".*", "_": "."}
    start = re.compile("".join(parts.get(letter, re.escape(letter)) for letter in text), re.IGNORECASE | re.DOTALL)
    found = _where(service, lambda row: start.match(row["hostname"] or "") is not None and bool(row["hostname"]))
    return sorted(found, key=lambda row: row["hostname"].lower())


def _where(service: Service, holds: Callable[[Row], bool]) -> list[Row]:
    return [row for row in list(service.store.addresses.values()) if holds(row)]


def post(service: Service) -> Answer:
    """Make one: a given one, or the first that is free."""
    parameters, store = service.parameters, service.store
    _by_column_names(service)
    first_free = parameters.text("id") == "first_free"
    if first_free:
        _choose(service)
    if not is_numeric(parameters.get("subnetId", "")):
        raise Refused(400, "SubnetId must be numeric")
    subnet = store.subnets.get(key_of(parameters["subnetId"]))
    if subnet is None:
        raise Refused(404, "Invalid subnet Id")
    number = number_of(parameters.get("ip_addr"))
    if number in subnet.addresses:
        raise Refused(409, "IP address already exists")
    if subnet.row["isFolder"] and not is_address(parameters.get("ip_addr")):
        raise Refused(400, "Invalid address")
    _check(service)
    values = _columns(service)
    if not subnet.row["isFolder"] and number not in subnet.hosts:
        whole = f"{dotted(subnet.first)}/{subnet.row['mask']}"
        raise Refused(500, f"{dotted(number)} is not a valid address for subnet {whole}")
    if values.get("is_gateway"):
        store.withdraw_gateway(subnet.row["id"], service.clock())
    values = {column: stored(column, value) for column, value in values.items() if column not in {"id", "subnetId"}}
    values |= {"subnetId": subnet.row["id"], "ip_addr": number}
    key = store.insert_address(values)
    members = {"message": "Address created", "id": str(key)} | ({"data": dotted(number)} if first_free else {})
    return Answer(201, members, f"/api/{parameters.text('app_id')}/addresses/{key}/")


def _choose(service: Service) -> None:
    parameters, store = service.parameters, service.store
    if parameters.has("subnetId"):
        subnet = store.subnets.get(key_of(parameters["subnetId"]))
    else:
        subnet = store.subnets.get(key_of(parameters.pop("id2", None)))
    if subnet is None:
        raise Refused(400, "Invalid subnet identifier")
    if subnet.row["isFull"]:
        raise Refused(404, "No free addresses found (subnet is full)")
    free = store.first_free(subnet.row["id"])
    if free is None:
        raise Refused(404, "No free addresses found")
    parameters.update(ip_addr=dotted(free), subnetId=subnet.row["id"])
    if not parameters.has("description"):
        parameters["description"] = "API created"


def patch(service: Service) -> Answer:
    """Change one by its id; a tag that is not given becomes 2."""
    parameters, store = service.parameters, service.store
    _by_column_names(service)
    if parameters.has("ip_addr"):
        raise Refused(400, "IP address cannot be changed")
    if parameters.has("subnetId"):
        raise Refused(400, "Subnet cannot be changed")
    row = _existing(service)
    if service.version < "1.7" and set(parameters) == {"app_id", "controller", "id"}:
        raise Refused(400, "No data provided")
    _check(service)
    given = _columns(service)
    if "ip_addr" in given:
        net = store.subnets[row["subnetId"]]
        raise Refused(500, f"0.0.0.0 is not a valid address for subnet {dotted(net.first)}/{net.row['mask']}")
    if given.get("is_gateway", row["is_gateway"]):
        # Before the change is tried: a gateway whose change is refused is none any more.
        given["is_gateway"] = 1
        store.withdraw_gateway(row["subnetId"], service.clock())
    values = {column: stored(column, value) for column, value in given.items() if column not in {"id", "subnetId"}}
    store.update_address(row["id"], values, service.clock())
    return service.done("Address updated")


def delete(service: Service) -> Answer:
    """Remove one, by its id or by address and subnet; PHP dies of an address that is nowhere."""
    parameters, store = service.parameters, service.store
    if is_address(parameters.get("id")) and parameters.has("id2"):
        rows = store.at(number_of(parameters["id"]))
        if not rows:
            raise Died
        here = [row for row in rows if row["subnetId"] == key_of(parameters["id2"])]
        if not here:
            raise Refused(404, "No addresses found")
        parameters["id"] = here[0]["id"]
    store.remove_address(_existing(service)["id"])
    return service.done("Address deleted")


def written_mac(text: str) -> str:
    """Two letters each between colons, in small letters, whatever was between them."""
    bare = re.sub("[:.-]", "", text).lower()
    return ":".join(bare[place : place + 2] for place in range(0, len(bare), 2))


def _existing(service: Service) -> Row:
    key = service.parameters.get("id")
    row = service.store.addresses.get(key_of(key)) if is_numeric(key) else None
    if row is None:
        raise Refused(404, "Address does not exist")
    return row


def _by_column_names(service: Service) -> None:
    for column, outward in OUTWARD.items():
        if outward in service.parameters:
            service.parameters[column] = service.parameters.pop(outward)


def _check(service: Service) -> None:
    """MAC, device and tag; an absent tag is 2 from here on."""
    parameters = service.parameters
    if parameters.text("mac").strip():
        mac = written_mac(parameters.text("mac"))
        if not re.fullmatch("[0-9a-f]{2}(:[0-9a-f]{2}){5}", mac):
            raise Refused(400, "Invalid MAC address")
        parameters["mac"] = mac
    device, tag = parameters.get("switch"), parameters.get("state")
    if device and (not is_numeric(device) or int(device) not in service.store.devices):
        raise Refused(400, "Device does not exist")
    if tag is None:
        parameters["state"] = 2
    elif str(tag) and not is_numeric(tag):
        raise Refused(400, "Invalid state")
    elif key_of(tag) not in {tag["id"] for tag in service.store.tags}:
        raise Refused(400, "Tag does not exist")


def _columns(service: Service) -> Row:
    """What is for the table; raises Refused on the first key that is no column."""
    values = {key: value for key, value in service.parameters.items() if key not in {"app_id", "controller"}}
    for key in values:
        if key not in EMPTY or key == "editDate":
            raise Refused(400, f"Invalid request key {key}")
        if service.version < "1.7" and max(str(values[key]), default="") > "\uffff":
            # Its tables hold characters of three bytes at most.
            message = f"1366 Incorrect string value: for column `phpipam`.`ipaddresses`.`{key}` at row 1"
            raise Refused(500, f"Error: SQLSTATE[22007]: Invalid datetime format: {message}")
    return values
