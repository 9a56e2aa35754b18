"""What came from dhcpd's files is served to Foreman as the smart proxy served it from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from providers.dhcp.isc.grammar import parse, read
from providers.dhcp.isc.leases import written
from providers.dhcp.isc.survey import survey
from providers.model import Caller
from tests.made_isc_site import write
from tests.proxy.api.seeds import RECORDED, seed_dhcp
from tests.proxy.api.test_recorded import DIFFERENCES, ask, compare

SEQUENCES = json.loads((RECORDED / "dhcp.json").read_text())
SEED = json.loads((RECORDED / "seed.json").read_text())


def configuration() -> str:
    """The subnets and static hosts of seed.json."""
    parts = []
    for subnet in SEED["subnets"]:
        parts.append(f"subnet {subnet['network']} netmask {subnet['netmask']} {{\n")
        if "range" in subnet:
            parts.append(f"  range {' '.join(subnet['range'])};\n")
        for name, value in subnet["options"].items():
            shown = ", ".join(value) if isinstance(value, list) else json.dumps(value)
            parts.append(f"  option {name} {shown};\n")
        parts.append("}\n")
    return "".join(parts) + "".join(_host(host, "{}") for host in SEED["reservations"] if not host["deleteable"])


def leases() -> str:
    """The hosts of seed.json that were made through OMAPI."""
    return "".join(_host(host, "dynamic; {}") for host in SEED["reservations"] if host["deleteable"])


def _host(host: dict[str, Any], form: str) -> str:
    omapi = form != "{}"
    said = f"hardware ethernet {host['mac']}; fixed-address {host['ip']};"
    if "filename" in host:
        said += f" {'supersede server.filename =' if omapi else 'filename'} \"{host['filename']}\";"
    if "nextServer" in host:
        octets = ":".join(f"{int(part):02x}" for part in host["nextServer"].split("."))
        said += f" supersede server.next-server = {octets};" if omapi else f" next-server {host['nextServer']};"
    return f"host {host['name']} {{ {form.format(said)} }}\n"


@pytest.fixture
def imported(started: Callable[..., Flask], address_book, clock) -> Flask:
    """The application after the import."""
    found = survey(parse(configuration(), "c"), written(parse(leases(), "l"), clock()), group="Lab")
    assert (found.problems, found.unused) == ((), ())
    assert address_book.apply_import(found.incoming, Caller("import")).clashes == ()
    return started()


@pytest.fixture
def leased(imported: Flask, server) -> Flask:
    """The same, with the leases that are behind the recorded exchanges."""
    server.written = seed_dhcp(_Unwritten())  # type: ignore[arg-type]
    return imported


class _Unwritten:
    """Takes what seeding writes, and forgets it: only the leases are wanted."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_args, **_kwargs: None


@pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda sequence: sequence["name"])
def test_answers_as_recorded(sequence, leased):
    problems = []
    for exchange in sequence["exchanges"]:
        name = f"dhcp/{sequence['name']}/{exchange['id']}"
        answer = ask(leased, exchange)
        try:
            compare(exchange, answer, DIFFERENCES.get(name))
        except AssertionError as error:
            problems.append(f"{name}: {error}")
    assert not problems, "\n".join(problems)


def test_the_made_site_is_served_deleted_and_imported_again(tmp_path, started, address_book, clock, dump):
    site = write(tmp_path)

    def bring_in() -> None:
        found = survey(read(site.configuration), written(read(site.leases), clock()), group="Lab")
        address_book.apply_import(found.incoming, Caller("import"))

    def kept() -> dict[str, list[Any]]:
        return {name: rows for name, rows in dump().items() if name != "events"}

    bring_in()
    before = kept()
    client = started().test_client()
    for host in site.hosts.values():
        network = host.address.rpartition(".")[0] + ".0"
        (record,) = client.get(f"/dhcp/{network}/ip/{host.address}").get_json()
        assert (record["name"], record["mac"], record["hostname"]) == (host.name, host.mac, host.hostname)
        assert (record.get("filename"), record.get("nextServer")) == (host.filename, host.next_server)
        assert client.delete(f"/dhcp/{network}/mac/{host.mac}").status_code == 200
    assert len(kept()["dhcp_hosts"]) == 1

    bring_in()

    assert kept() == before
