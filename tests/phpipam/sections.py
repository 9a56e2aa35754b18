"""The controllers ``sections``, ``folders`` and ``tools``."""

from __future__ import annotations

from tests.phpipam import subnets
from tests.phpipam.addresses import of_tag
from tests.phpipam.errors import Refused
from tests.phpipam.numbers import is_numeric, key_of
from tests.phpipam.service import Answer, Service


def get(service: Service) -> Answer:
    """All, or one by number or name; the subnets of one by its number only."""
    parameters, sections = service.parameters, service.store.sections
    id_ = parameters.text("id")
    if parameters.text("id2") == "subnets" and is_numeric(id_):
        found = subnets.of_section(service, key_of(id_))
        if not found:
            raise Refused(404, "No subnets found")
        return service.data(service.results.of(found, "subnets"))
    if not id_:
        return service.data(service.results.of([dict(row) for row in sections.values()], "sections"))
    if is_numeric(id_):
        if key_of(id_) not in sections:
            raise Refused(404, "Section does not exist")
        return service.data(service.results.of(dict(sections[key_of(id_)]), "sections"))
    if id_ == "custom_fields":
        raise Refused(409, "Custom fields not supported")
    for row in sections.values():
        if row["name"].lower() == id_.lower():
            return service.data(service.results.of(dict(row), "sections"))
    raise Refused(404, "Not Found")


def post(service: Service) -> Answer:
    """The double makes none: its own ``add_section`` does."""
    if len(service.parameters.text("name")) < 3:
        raise Refused(400, "Name is mandatory or too short (mininum 3 characters)")
    raise Refused(501, "Not Implemented")


def folder(service: Service) -> Answer:
    """A folder by its number."""
    net = service.store.subnets.get(key_of(service.parameters.get("id")))
    if net is None or not net.row["isFolder"]:
        raise Refused(404, "No folders found")
    return service.data(service.results.of(dict(net.row), "subnets"))


def tools(service: Service) -> Answer:
    """Tags and name servers."""
    parameters, store = service.parameters, service.store
    kind, asked = parameters.text("id"), parameters.get("id2")
    if kind == "tags":
        if parameters.text("id3") == "addresses":
            return of_tag(service)
        rows = {tag["id"]: tag for tag in store.tags}
    elif kind == "nameservers":
        rows = store.nameservers
    else:
        raise Refused(400, "Invalid subcontroller")
    if asked is None:
        return service.data(service.results.of([dict(row) for row in rows.values()], f"tools/{kind}"))
    if key_of(asked) not in rows:
        raise Refused(404, "No objects found")
    return service.data(dict(rows[key_of(asked)]))


def vlan(service: Service) -> Answer:
    """A VLAN by its number in the table."""
    if not service.parameters.has("id"):
        return service.data([dict(row) for row in service.store.vlans.values()])
    found = service.store.vlans.get(key_of(service.parameters.get("id")))
    if found is None:
        raise Refused(404, "Vlan not found")
    return service.data(dict(found))
