"""When Kea is asked anew what it is configured to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from netaddr import IPNetwork

from providers.dhcp.kea.configured import Configured
from providers.dhcp.kea.control import Control
from providers.dhcp.kea.settings import KeaSchema
from providers.errors import InvalidValue
from tests.providers.dhcp.kea.kea_double import KeaDouble, over_unix
from tests.providers.dhcp.kea.running_kea import kea_directory

NET = IPNetwork("10.0.1.0/28")


class Site:
    """A Kea that read its configuration 1,000 seconds ago, looked at ``moment`` seconds after the beginning."""

    def __init__(self, kea: KeaDouble, place: str) -> None:
        self.kea = kea
        self.moment = 5000.0
        self.configured = Configured(Control(KeaSchema().load({"control": place})), monotonic=lambda: self.moment)

    def pass_(self, seconds: float) -> None:
        self.moment += seconds
        self.kea.loaded["reload"] += int(seconds)

    def asked(self) -> int:
        self.configured.now()
        return self.kea.commands.count("config-get")


@pytest.fixture
def site() -> Iterator[Site]:
    """A site that has asked once."""
    kea = KeaDouble(database=True)
    with kea_directory() as directory, over_unix(kea, directory / "ctrl") as place:
        site = Site(kea, place)
        assert site.asked() == 1
        yield site


def test_not_as_long_as_it_reads_no_other(site: Site):
    site.pass_(60)
    assert site.asked() == 1


def test_when_it_has_read_one_since(site: Site):
    site.pass_(60)
    site.kea.loaded["reload"] = 30
    site.kea.numbers[str(NET)] = 77
    assert site.configured.now().subnet(NET).id == 77


def test_when_it_was_started_anew(site: Site):
    site.kea.loaded["pid"] = 101
    assert site.asked() == 2


def test_while_it_may_have_read_one_in_the_same_second(site: Site):
    for ago in (0, 1, 2):
        site.kea.loaded["reload"] = ago
        before = site.asked()
        assert site.asked() == before + 1


@pytest.mark.parametrize(
    "more",
    [
        {"hooks-libraries": [{"library": "/usr/lib/kea/hooks/libdhcp_subnet_cmds.so"}]},
        {"config-control": {"config-databases": [{"type": "mysql"}]}},
    ],
    ids=str,
)
def test_always_where_single_subnets_change(site: Site, more: dict):
    site.kea.more = more
    site.kea.loaded["pid"] = 101
    before = site.asked()
    assert site.asked() == before + 1


def test_always_where_it_does_not_say_when_it_read_one(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(KeaDouble, "_status_get")
    assert (site.asked(), site.asked()) == (2, 3)


def test_the_reservations_in_its_memory_are_not_kept(site: Site):
    site.kea.hosts["memory"][11, "52:54:00:00:00:01"] = {"ip-address": "10.0.1.3"}
    site.kea.loaded["pid"] = 101
    assert site.configured.now().subnet(NET).reservations == ()


def test_a_subnet_that_is_not_there_is_told(site: Site):
    with pytest.raises(InvalidValue, match="Kea has no subnet"):
        site.configured.now().subnet(IPNetwork("10.9.9.0/24"))


def test_not_after_a_loading_that_was_looked_at(site: Site):
    site.kea.loaded["reload"] = 0
    found = site.configured.anew()
    before = site.kea.commands.count("config-get")
    site.configured.keep(found)
    site.pass_(7)
    assert site.asked() == before
    site.kea.loaded["reload"] = 0
    assert site.asked() == before + 1


def test_after_a_loading_where_single_subnets_change(site: Site):
    site.kea.more = {"config-control": {"config-databases": [{"type": "mysql"}]}}
    site.configured.keep(site.configured.anew())
    before = site.kea.commands.count("config-get")
    assert site.asked() == before + 1
