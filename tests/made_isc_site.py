"""A site that grew for years, written as an ISC dhcpd has it: dhcpd.conf, included files and dhcpd.leases.

Nothing in it is random. :func:`write` says what a reader has to find, without reading any of it::

    python -m tests.made_isc_site DIRECTORY
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

SUBNETS = 60
HOSTS = 2000
OMAPI_HOSTS = 100
SECRET = "c2VjcmV0IG9mIHRoZSBzaXRlIQ=="
NOW_ACTIVE = ("10.50.0.200", "10.50.1.201", "10.50.7.202")

_KINDS = ("included", "nested", "subnet", "shared")
_HEAD = f"""\
# Site configuration. Do not edit on the second server!
ddns-update-style none;
authoritative;
AUTHORITATIVE;
default-lease-time 600;\tmax-lease-time 7200;
log-facility local7;
omapi-port 7911;
key omapi_key {{ algorithm HMAC-MD5; secret {SECRET}; }};
omapi-key omapi_key;
zone 50.10.in-addr.arpa. {{ primary 127.0.0.1; key omapi_key; }}
option space PXE;
option PXE.mtftp-ip code 1 = ip-address;
option PXE.menu code 2 = {{ integer 8, integer 16 }};
option pxe-architecture code 93 = unsigned integer 16;
option voip-servers code 150 = array of ip-address;
Option Domain-Name "example.com"; # the old one was "example.org";
option domain-name-servers 10.50.0.2 , 10.50.0.3
    ;
option ntp-servers 10.50.0.4;
class "pxeclients" {{
  match if substring (option vendor-class-identifier, 0, 9) = "PXEClient";
  if option pxe-architecture = 00:07 {{ filename "grub2/grubx64.efi"; }} elsif exists agent.circuit-id {{
    filename "}} not the end {{"; }} else {{ filename "pxelinux.0"; }}
}}
class "allocation" {{ match pick-first-value (option dhcp-client-identifier, hardware); }}
subclass "allocation" 1:52:54:00:ff:ff:01 {{ option root-path "samsara:/var/diskless/alphapc"; }}
subclass "allocation" 1:52:54:00:ff:ff:02;
failover peer "partner" {{
  primary; address 127.0.0.1; port 647; peer address 127.0.0.2; peer port 647;
  max-response-delay 60; max-unacked-updates 10; mclt 3600; split 128; load balance max seconds 3;
}}
if known {{ log (info, concat ("known ", binary-to-ascii (16, 8, ":", hardware))); }}
on commit {{ set leased = binary-to-ascii (10, 8, ".", leased-address); }}
include "subnets.conf";
include "hosts/static.conf";
"""


@dataclass(frozen=True, slots=True)
class Host:
    """A host that has to come in."""

    name: str
    mac: str
    address: str
    hostname: str
    filename: str | None = None
    next_server: str | None = None


@dataclass(slots=True)
class Site:
    """Where the files are, and what they say."""

    configuration: Path
    leases: Path
    hosts: dict[str, Host] = field(default_factory=dict)
    networks: list[str] = field(default_factory=list)
    clashing: list[str] = field(default_factory=list)
    """Names of hosts that clash with one in front of them."""
    left_out: list[str] = field(default_factory=list)
    """Names of hosts without MAC or address, or deleted since."""


def write(directory: Path) -> Site:
    """Write the site's files into a directory that is there."""
    (directory / "hosts").mkdir()
    site = Site(directory / "dhcpd.conf", directory / "dhcpd.leases")
    hosts = [_host(number) for number in range(HOSTS)]
    site.hosts = {host.name: host for host in hosts}
    static = hosts[: HOSTS - OMAPI_HOSTS]
    site.configuration.write_text(_HEAD)
    (directory / "subnets.conf").write_bytes(_subnets(site, static).encode("latin-1"))
    (directory / "hosts" / "static.conf").write_text(_static(site, static))
    (directory / "hosts" / "more.conf").write_text(_more(site))
    site.leases.write_text(_leases(hosts[HOSTS - OMAPI_HOSTS :]))
    return site


def _subnet_of(number: int) -> int:
    return number % SUBNETS


def _kind(number: int) -> str:
    return "omapi" if number >= HOSTS - OMAPI_HOSTS else _KINDS[_subnet_of(number) % len(_KINDS)]


def _host(number: int) -> Host:
    name = f"host{number:04d}.example.com"
    mac = f"52:54:00:0a:{number >> 8:02x}:{number & 255:02x}"
    address = f"10.50.{_subnet_of(number)}.{10 + number // SUBNETS}"
    match _kind(number):
        case "included":
            return Host(name, mac, address, name, "pxelinux.0", "10.50.0.5")
        case "nested":
            return Host(name, mac, address, f"h{number}", "grub2/grubx64.efi", "tftp.example.com")
        case "subnet":
            return Host(name, mac, address, name)
        case "shared":
            return Host(name, mac, address, name, "shared.0" if number % 2 else None)
    return Host(name, mac, address, f"omapi{number}", "grub2/grubx64.efi", "10.9.0.1")


def _declared(host: Host, number: int) -> str:
    """A host as one of several hands would write it."""
    inner = {
        "included": "",
        "nested": f'option host-name "{host.hostname}";',
        "subnet": "option routers 10.50.2.254; ddns-hostname x;" if number % 50 == 2 else "",
        "shared": f'filename "{host.filename}";' if host.filename else "",
    }[_kind(number)]
    match number // SUBNETS % 4:
        case 0:
            return f"host {host.name} {{ hardware ethernet {host.mac}; fixed-address {host.address}; {inner} }}\n"
        case 1:
            short = ":".join(part.lstrip("0") or "0" for part in host.mac.split(":"))
            return f"host {host.name}{{fixed-address {host.address};hardware ethernet {short};{inner}}}\n"
        case 2:
            return (
                f"\tHost {host.name} # old: {host.address};\n\t{{\n\t\tHardware Ethernet {host.mac.upper()};\n"
                f"\t\t{inner}\n\t\tfixed-address\n\t\t\t{host.address}\n\t\t;\n\t}}\n"
            )
    said = (inner, f"hardware ethernet {host.mac};", f"fixed-address {host.address};")
    return f"  host {host.name} {{\n" + "".join(f"    {each}\n" for each in said) + "  }\n"


def _subnets(site: Site, hosts: list[Host]) -> str:
    parts = ["# Büro und Lager\n"]
    inside: dict[int, list[str]] = {number: [] for number in range(SUBNETS)}
    shared = []
    for number, host in enumerate(hosts):
        if _kind(number) == "subnet":
            inside[_subnet_of(number)].append(_declared(host, number))
        elif _kind(number) == "shared":
            shared.append(_declared(host, number))
    for number in range(0, SUBNETS, 2):
        pair = (number, number + 1)
        site.networks += [f"10.50.{each}.0/24" for each in pair]
        body = "".join(_subnet(each, inside[each], pool=number % 4 != 2) for each in pair)
        if number % 4 == 2:
            body += "  pool { failover peer \"partner\"; deny dynamic bootp clients;"
            body += f" range 10.50.{number}.200 10.50.{number}.250; }}\n"
            body += f"  pool {{ allow unknown-clients; range 10.50.{number + 1}.200 10.50.{number + 1}.220;\n"
            body += f"    range 10.50.{number + 1}.230 10.50.{number + 1}.250; }}\n"
            hosts_here = "".join(shared[number // 4 :: SUBNETS // 4])
            parts.append(f'shared-network "floor-{number}" {{\n  option interface-mtu 9000;\n{body}{hosts_here}}}\n')
        else:
            parts.append(body)
    return "".join(parts)


def _subnet(number: int, hosts: list[str], *, pool: bool) -> str:
    at = f"10.50.{number}"
    text = f"subnet {at}.0 netmask 255.255.255.0 {{\n  option routers {at}.1;\n"
    text += f"  option subnet-mask 255.255.255.0;\n  option broadcast-address {at}.255;\n"
    if pool:
        text += f"  range {at}.200 {at}.250;\n"
    if number % 10 == 0:
        text += f'  next-server {at}.5; filename "subnet.0"; option domain-name "net{number}.example.com";\n'
    return text + "".join(hosts) + "}\n"


def _static(site: Site, hosts: list[Host]) -> str:
    included = [_declared(host, number) for number, host in enumerate(hosts) if _kind(number) == "included"]
    nested = [_declared(host, number) for number, host in enumerate(hosts) if _kind(number) == "nested"]
    return (
        "group {\n  next-server 10.50.0.5;\n" + "".join(included) + '  filename "pxelinux.0";\n}\n'
        'group installers {\n  filename "replaced.0";\n  next-server tftp.example.com;\n'
        '  group {\n    filename "grub2/grubx64.efi"; include "hosts/more.conf";\n' + "".join(nested) + "  }\n}\n"
    )


def _more(site: Site) -> str:
    """What does not come in."""
    site.clashing += ["twice-address", "twice-mac", "nowhere", "gateway"]
    site.left_out += ["no-address", "no-mac", "by-name", "gone.example.com"]
    mac = "hardware ethernet 52:54:00:0b:00:0"
    return (
        f"host first {{ {mac}1; fixed-address 10.50.4.60; }}\n"
        f"host twice-address {{ {mac}2; fixed-address 10.50.4.60; }}\n"
        f"host twice-mac {{ {mac}1; fixed-address 10.50.4.61; }}\n"
        f"host nowhere {{ {mac}3; fixed-address 10.99.0.1; }}\n"
        f"host gateway {{ {mac}4; fixed-address 10.50.4.1; }}\n"
        f"host no-address {{ {mac}5; }}\n"
        "host no-mac { option dhcp-client-identifier 1:2:3; fixed-address 10.50.4.62; }\n"
        f"host by-name {{ {mac}6; fixed-address localhost; }}\n"
        f"host gone.example.com {{ {mac}7; fixed-address 10.50.4.63; }}\n"
    )


def _leases(hosts: list[Host]) -> str:
    parts = [
        "# The format of this file is documented in the dhcpd.leases(5) manual page.\n"
        "authoring-byte-order little-endian;\n\n"
        'server-duid "\\000\\001\\000\\001*\\"|\\\\RT\\000\\001";\n'
        'failover peer "partner" state {\n  my state normal at 3 2024/01/03 10:00:00;\n'
        "  partner state normal at 3 2024/01/03 10:00:00;\n}\n"
    ]
    for number, address in enumerate(NOW_ACTIVE):
        parts.append(_lease(address, number, "active", "never"))
    long_ago = "3 2024/01/03 11:00:00"
    parts += [_lease("10.50.0.203", 8, "active", "never"), _lease("10.50.0.203", 8, "free", long_ago)]
    parts.append(_lease("10.50.0.204", 9, "active", long_ago))
    for number, host in enumerate(hosts):
        if number % 10 == 0:
            parts.append(_made(host, "10.50.59.99") + f"host {host.name} {{\n  dynamic;\n  deleted;\n}}\n")
        parts.append(_made(host, host.address))
    parts.append("host gone.example.com {\n  dynamic;\n  deleted;\n}\n")
    return "".join(parts)


def _lease(address: str, number: int, state: str, ends: str) -> str:
    return (
        f"lease {address} {{\n  starts 3 2024/01/03 10:00:00;\n  ends {ends};\n  cltt 3 2024/01/03 10:00:00;\n"
        f"  binding state {state};\n  next binding state free;\n  rewind binding state free;\n"
        f"  hardware ethernet 52:54:00:0c:00:0{number};\n"
        f'  uid "\\001RT\\000\\014\\000\\{number:03o}";\n  client-hostname "leased{number}";\n}}\n'
    )


def _made(host: Host, address: str) -> str:
    """A host as Foreman has it made through OMAPI."""
    server = ":".join(f"{int(part):02x}" for part in (host.next_server or "").split("."))
    return (
        f"host {host.name} {{\n  dynamic;\n  hardware ethernet {host.mac};\n  fixed-address {address};\n"
        f'        supersede server.filename = "{host.filename}";\n        supersede server.next-server = {server};\n'
        f'        supersede host-name = "{host.hostname}";\n}}\n'
    )


if __name__ == "__main__":
    made = write(Path(sys.argv[1]))
    sys.stdout.write(f"{made.configuration}\n{made.leases}\n")
