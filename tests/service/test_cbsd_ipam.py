"""The calls of ``cbsd ipam`` against a running service, made by a shell script with curl and jq."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from netaddr import IPAddress, IPNetwork
from running import Service

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from providers.model import Caller, Options, Reservation, Subnet, SubnetSpec, Use
from providers.tokens import Scope, Tokens

SCRIPT = Path(__file__).with_name("cbsd-ipam.sh")
LAB = "subnet=10.1.0.0/24"
OPERATOR = Caller("operator")

pytestmark = [
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing"),
    pytest.mark.skipif(shutil.which("jq") is None, reason="jq is missing"),
]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def book_directory(tmp_path_factory: pytest.TempPathFactory, empty_book_file: Path) -> Path:
    """A state directory with an empty book."""
    place = tmp_path_factory.mktemp("cbsd")
    (place / "leasehold.db").write_bytes(empty_book_file.read_bytes())
    return place


@pytest.fixture(scope="module")
def service(book_directory: Path) -> Iterator[Service]:
    """One service for all of these: they have subnets of their own."""
    started = Service(book_directory)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def desk(book_directory: Path) -> Iterator[AddressBook]:
    """The book that the service has."""
    book = Book(f"sqlite:///{book_directory}/leasehold.db")
    yield AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)
    book.close()


@pytest.fixture
def lab(desk: AddressBook) -> Iterator[Subnet]:
    """10.1.0.0/24, empty."""
    yield (subnet := desk.add_subnet(SubnetSpec(IPNetwork("10.1.0.0/24"), "Lab"), OPERATOR))
    desk.remove_subnet(subnet, OPERATOR, force=True)


@pytest.fixture
def cbsd(service: Service, desk: AddressBook) -> Iterator[Run]:
    """Run the script as node1, or with another name or password."""
    tokens = Tokens(desk.book, utc_now)
    secrets = {name: tokens.create(name, [Scope.RESERVE], OPERATOR)[1] for name in ("node1", "node2")}

    def cbsd(*arguments: str, user: str = "node1", password: str | None = None) -> subprocess.CompletedProcess[str]:
        return script(service, user, password or secrets[user], *arguments)

    yield cbsd
    for name in secrets:
        tokens.revoke(name, OPERATOR)


def script(service: Service, user: str, password: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    url = f"http://127.0.0.1:{service.port}/phpipam"
    environ = {"PHPIPAMURL": url, "PHPIPAMAPP": "cbsd", "PHPIPAMUSER": user, "PHPIPAMPASS": password}
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), *arguments],
        env={"PATH": os.environ["PATH"], **environ},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def at(desk: AddressBook, subnet: Subnet, address: str) -> Reservation:
    found = desk.reservation(subnet, IPAddress(address))
    assert found is not None, address
    return found


def test_a_jail_from_create_to_delete(cbsd: Run, desk: AddressBook, lab: Subnet) -> None:
    offered = cbsd("mode=firstfree", LAB)
    assert (offered.returncode, offered.stdout) == (0, "10.1.0.1\n")
    assert cbsd("mode=firstfree", LAB).stdout == "10.1.0.1\n"

    made = cbsd("mode=create", LAB, "ip4_addr=10.1.0.1", "hostname=j1.example.com", "description=jail", "note=node1")
    assert (made.returncode, made.stdout) == (0, ""), made.stderr
    there = at(desk, lab, "10.1.0.1")
    assert (there.name, there.description, there.note) == ("j1.example.com", "jail", "node1")
    assert set(there.uses) == {Use.GUEST}

    assert cbsd("mode=update", LAB, "ip4_addr=10.1.0.1", "hostname=j1.example.com", "note=node2").returncode == 0
    assert at(desk, lab, "10.1.0.1").note == "node2"

    assert cbsd("mode=delete", LAB, "ip4_addr=10.1.0.1").returncode == 0
    assert list(desk.reservations(lab)) == []


def test_create_twice_is_refused_the_second_time(cbsd: Run, lab: Subnet) -> None:
    assert cbsd("mode=create", LAB, "ip4_addr=10.1.0.9", "hostname=j1").returncode == 0
    again = cbsd("mode=create", LAB, "ip4_addr=10.1.0.9", "hostname=j2")

    assert (again.returncode, again.stderr) == (1, "IP address already exists\n")


def test_update_of_an_absent_address_makes_it(cbsd: Run, desk: AddressBook, lab: Subnet) -> None:
    assert cbsd("mode=update", LAB, "ip4_addr=10.1.0.8", "hostname=j1").returncode == 0
    assert at(desk, lab, "10.1.0.8").name == "j1"


def test_delete_of_an_absent_address(cbsd: Run, lab: Subnet) -> None:
    assert cbsd("mode=delete", LAB, "ip4_addr=10.1.0.8").returncode == 1


def test_firstfreelock_until_the_subnet_is_full(cbsd: Run, desk: AddressBook) -> None:
    options = Options(gateway=IPAddress("10.9.0.1"))
    desk.add_subnet(SubnetSpec(IPNetwork("10.9.0.0/29"), "Lab", options=options), OPERATOR)
    small = "subnet=10.9.0.0/29"
    taken = [cbsd("mode=firstfreelock", small, f"hostname=j{number}").stdout.strip() for number in range(5)]
    assert taken == [f"10.9.0.{last}" for last in range(2, 7)]

    for mode in ("firstfreelock", "firstfree"):
        full = cbsd(f"mode={mode}", small)
        assert (full.returncode, full.stdout, full.stderr) == (1, "", "No free addresses found\n")


def test_two_nodes_are_never_offered_the_same(cbsd: Run, lab: Subnet) -> None:
    assert cbsd("mode=firstfree", LAB).stdout != cbsd("mode=firstfree", LAB, user="node2").stdout


def test_a_wrong_password(cbsd: Run, desk: AddressBook, lab: Subnet) -> None:
    refused = cbsd("mode=firstfreelock", LAB, password="wrong")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "Invalid username or password\n"
    assert list(desk.reservations(lab)) == []


def test_an_unknown_subnet(cbsd: Run) -> None:
    refused = cbsd("mode=firstfree", "subnet=10.77.0.0/24")
    assert (refused.returncode, refused.stderr) == (1, "No subnets found\n")


def test_an_ipv6_subnet(cbsd: Run, desk: AddressBook) -> None:
    six = desk.add_subnet(SubnetSpec(IPNetwork("2001:db8:9::/64"), "Lab"), OPERATOR)
    subnet, far = "subnet=2001:db8:9::/64", "ip4_addr=2001:db8:9::ffff:ffff:1"

    assert cbsd("mode=firstfreelock", subnet, "hostname=j6").stdout == "2001:db8:9::1\n"
    assert cbsd("mode=create", subnet, far, "hostname=far").returncode == 0
    assert cbsd("mode=update", subnet, far, "hostname=further").returncode == 0
    assert at(desk, six, "2001:db8:9::ffff:ffff:1").name == "further"
    assert cbsd("mode=delete", subnet, far).returncode == 0


def test_a_book_without_tokens_takes_any_name_and_password_on_this_machine(service: Service, lab: Subnet) -> None:
    done = script(service, "any", "thing", "mode=firstfreelock", LAB)

    assert (done.returncode, done.stdout) == (0, "10.1.0.1\n")
