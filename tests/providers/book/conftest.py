"""Tables without rules: a subnet to put things into."""

from __future__ import annotations

import pytest
from netaddr import IPNetwork

from providers.book import directory
from providers.book.database import Book
from providers.model import Subnet, SubnetSpec


@pytest.fixture
def subnet(book: Book) -> Subnet:
    """10.0.0.0/24 of the group Lab, without free space."""

    def work(connection):
        group = directory.add_group(connection, "Lab", "")
        return directory.add_subnet(connection, SubnetSpec(IPNetwork("10.0.0.0/24"), "Lab"), group, dhcp=True)

    return book.write(work)
