"""From reservations in Kea's configuration to Leasehold's file, as docs/kea.md says, while Kea goes on serving."""

from __future__ import annotations

from providers.address_book import AddressBook
from providers.dhcp.kea.grammar import read
from providers.dhcp.kea.provider import KeaDHCP
from providers.dhcp.kea.survey import survey
from tests.providers.desk import CALLER, Desk, mac
from tests.providers.dhcp.kea.running_kea import Kea, kea_directory

OWN = '[{"hw-address": "52:54:00:00:00:01", "ip-address": "10.0.1.3", "hostname": "web1", "next-server": "10.0.1.5"}]'
PATH = "10.0.1.0-28.json"


def test_import_then_include_then_sync(address_book: AddressBook, desk: Desk):
    with kea_directory() as directory:
        kea = Kea(directory)
        kea.add_subnet(1, "10.0.1.0/28")
        kea.write()
        included = kea.configuration.read_text()
        kea.text = included.replace(f'<?include "{kea.includes / PATH}"?>', OWN)
        kea.start()
        try:
            plan = address_book.apply_import(survey(read(kea.configuration)).incoming, CALLER)
            assert (len(plan.new_addresses), plan.clashes) == (1, ())

            kea.configuration.write_text(included)
            address_book.dhcp = KeaDHCP(address_book.book, kea.settings)
            (difference,) = address_book.differences()
            assert [host.name for host in difference.missing] == ["web1"]
            (done,) = address_book.sync(CALLER, most_percent=20)

            assert done.failures == ()
            assert kea.served("10.0.1.0/28") == {mac(1): "10.0.1.3"}
            assert mac(1) in (kea.includes / PATH).read_text()
            (host,) = address_book.dhcp.served(difference.subnet)
            assert (host.hostname, host.next_server) == ("web1", "10.0.1.5")
            assert list(address_book.differences()) == []
        finally:
            kea.stop()
