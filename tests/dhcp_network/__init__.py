"""A network of a test alone: a server's side, a client's side, and clients that speak DHCP between them.

    with Network() as network:
        network.server.start(["dnsmasq", "--keep-in-foreground", ...], log=tmp_path / "dnsmasq.log")
        offer = network.discover("52:54:00:00:00:01")
        assert str(offer.yiaddr) == "10.77.0.10"

Everything that is sent stays in two network namespaces that exist only as long as the context. Needs root and
iproute2; a test that asks for a network is skipped, by name, where they are missing.
"""

from tests.dhcp_network.message import Message
from tests.dhcp_network.namespaces import Namespace, Running, need_program
from tests.dhcp_network.network import Network
from tests.dhcp_network.raw_client import RawClient
from tests.dhcp_network.real_clients import Told

__all__ = ["Message", "Namespace", "Network", "RawClient", "Running", "Told", "need_program"]
