"""What is accepted here, the real dhcpd accepts too, and what it refuses for its grammar is refused here.

Needs dhcpd(8): ``apt-get install isc-dhcp-server``. It reads and writes files and serves nobody.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from providers.dhcp.isc.grammar import read
from providers.dhcp.isc.leases import written
from providers.dhcp.isc.survey import survey
from providers.errors import InvalidValue
from tests.made_isc_site import HOSTS, Site, write

DHCPD = shutil.which("dhcpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
NET = "subnet 10.0.1.0 netmask 255.255.255.0"
HARDWARE = "hardware ethernet 52:54:00:00:00:01;"

pytestmark = pytest.mark.skipif(DHCPD is None, reason="isc-dhcp-server is not installed")

ACCEPTED = (
    "",
    "# nothing\n",
    "authoritative;",
    f"{NET} {{ }}",
    f"{NET}{{range 10.0.1.5 10.0.1.9;}}",
    f"{NET} {{ range 10.0.1.9 10.0.1.5; }}",
    f"{NET} {{ range dynamic-bootp 10.0.1.5; }}",
    f"{NET} {{ pool {{ range 10.0.1.5 10.0.1.9; }} }}",
    f"{NET} {{ option routers 10.0.1.1 , 10.0.1.2; }}",
    f"shared-network a {{ {NET} {{ }} pool {{ range 10.0.1.5; }} }}",
    f'shared-network "a b" {{ {NET} {{ }} }}',
    f"host a.b {{ {HARDWARE} fixed-address 10.0.1.5, 10.0.2.5; }}",
    f"group {{ group x {{ host a {{ {HARDWARE} }} }} }}",
    "HOST a { Hardware Ethernet 0:1:2:3:4:A; }",
    'filename "a\\"b#;}";',
    "option a code 200 = { integer 8, boolean };",
    "option a code 200 = array of { integer 8, ip-address };",
    'if option user-class = "a" { filename "b"; } elsif known { } else { deny booting; }',
    'switch (option user-class) { case "a": filename "b"; break; default: filename "c"; }',
    'on commit { set x = concat ("a", "}"); }',
    'class "a" { match if substring (hardware, 1, 3) = 52:54:00; } subclass "a" 1:2:3;',
    "key k { algorithm hmac-md5; secret c2VjcmV0; };",
    'include "other.conf";',
    'group { include "other.conf"; }',
)
REFUSED = (
    "authoritative",
    f"{NET} {{",
    f"{NET} {{ }} }}",
    f"{NET} {{ option routers 10.0.1.1 }}",
    'filename "a',
    "include other.conf;",
    "{ }",
)


def accepted_by_dhcpd(configuration: Path) -> bool:
    """Ask ``dhcpd -t``."""
    assert DHCPD is not None
    command = [DHCPD, "-t", "-cf", str(configuration)]
    return subprocess.run(command, cwd=configuration.parent, capture_output=True, timeout=120).returncode == 0


def accepted_here(configuration: Path) -> bool:
    """Read all of it."""
    try:
        list(read(configuration))
    except InvalidValue:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "accepted"), [*((each, True) for each in ACCEPTED), *((each, False) for each in REFUSED)]
)
def test_both_agree(tmp_path, text, accepted):
    (tmp_path / "other.conf").write_text("host other { hardware ethernet 52:54:00:00:00:09; }\n")
    configuration = tmp_path / "dhcpd.conf"
    configuration.write_text(text)

    assert (accepted_by_dhcpd(configuration), accepted_here(configuration)) == (accepted, accepted)


def test_both_accept_the_made_site(tmp_path):
    site = write(tmp_path)

    assert accepted_by_dhcpd(site.configuration)
    assert accepted_here(site.configuration)


def test_the_leases_file_means_the_same_after_dhcpd_has_read_and_written_it(tmp_path):
    """dhcpd writes its leases file anew when it starts; without an interface to serve it stops after that."""
    site = write(tmp_path)
    before = meaning(site)
    isolated = ["unshare", "--map-root-user", "--net"]
    if not shutil.which("unshare") or subprocess.run([*isolated, "true"], capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    command = [*isolated, str(DHCPD), "-f", "-4", "--no-pid", "-cf", str(site.configuration), "-lf", str(site.leases)]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    if b"written by isc-dhcp" not in site.leases.read_bytes():
        pytest.skip("dhcpd may not write the file here")

    assert meaning(site) == before
    assert len(before[0]) > HOSTS


def meaning(site: Site) -> tuple[set[tuple[object, ...]], list[str]]:
    """Hosts and active leases."""
    found = survey(read(site.configuration), written(read(site.leases, torn=True), NOW))
    hosts = {
        (each.address, each.host.mac, each.host.name, each.host.hostname, each.host.filename, each.host.next_server)
        for each in found.incoming.addresses
        if each.host is not None
    }
    return hosts, [str(lease.address) for lease in found.leases]
