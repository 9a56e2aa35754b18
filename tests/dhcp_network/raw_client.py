"""A DHCP client that builds its own packets, so that it can be any MAC and see every field of an answer."""

from __future__ import annotations

import secrets
import select
import socket
import time
from collections.abc import Mapping, Sequence

from netaddr import IPAddress

from tests.dhcp_network.frames import broadcast_frame, payload_to_client
from tests.dhcp_network.message import (
    ACK,
    BOOT_FILE,
    DECLINE,
    DISCOVER,
    DNS,
    DOMAIN,
    HOSTNAME,
    KIND,
    MTU,
    NAK,
    NTP,
    OFFER,
    PARAMETERS,
    RELEASE,
    REQUEST,
    REQUESTED_ADDRESS,
    ROUTERS,
    SERVER_ID,
    SERVER_NAME,
    SUBNET_MASK,
    Message,
)

ASKED = (SUBNET_MASK, ROUTERS, DNS, HOSTNAME, DOMAIN, MTU, NTP)
BOOT_ASKED = (*ASKED, SERVER_NAME, BOOT_FILE)
_EVERY_PROTOCOL = 0x0003
_RESEND_SECONDS = 1.0


class RawClient:
    """Speaks on one interface, which it opens in the namespace of the calling thread.

    ``parameters`` are the options that are asked for. A client that does not ask for 66 and 67 finds its boot file in
    the header (``Message.file``), and so does many a boot ROM that does.
    """

    def __init__(self, interface: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERY_PROTOCOL))
        self._socket.bind((interface, 0))

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def discover(
        self,
        mac: str,
        *,
        parameters: Sequence[int] = ASKED,
        options: Mapping[int, bytes] | None = None,
        seconds: float = 60,
    ) -> Message | None:
        """The first OFFER for ``mac``; None when none comes in ``seconds``."""
        asked = {KIND: bytes([DISCOVER]), PARAMETERS: bytes(parameters), **(options or {})}
        return self._exchange(Message(_xid(), mac, asked), (OFFER,), seconds)

    def lease(
        self,
        mac: str,
        *,
        parameters: Sequence[int] = ASKED,
        options: Mapping[int, bytes] | None = None,
        seconds: float = 60,
    ) -> Message | None:
        """The ACK after a DISCOVER and a REQUEST for what was offered; None when there is none in ``seconds``."""
        offer = self.discover(mac, parameters=parameters, options=options, seconds=seconds)
        if offer is None:
            return None
        return self.request(
            mac,
            offer.yiaddr,
            parameters=parameters,
            options={SERVER_ID: offer.options[SERVER_ID], **(options or {})},
            seconds=seconds,
            xid=offer.xid,
        )

    def request(
        self,
        mac: str,
        address: IPAddress,
        *,
        parameters: Sequence[int] = ASKED,
        options: Mapping[int, bytes] | None = None,
        seconds: float = 60,
        xid: int | None = None,
    ) -> Message | None:
        """The ACK, or the NAK, for a REQUEST of ``address``; without a server id that is a client that restarted."""
        asked = {
            KIND: bytes([REQUEST]),
            REQUESTED_ADDRESS: address.packed,
            PARAMETERS: bytes(parameters),
            **(options or {}),
        }
        return self._exchange(Message(_xid() if xid is None else xid, mac, asked), (ACK, NAK), seconds)

    def release(self, mac: str, ack: Message) -> None:
        """Give back what ``ack`` granted; nobody answers that."""
        options = {KIND: bytes([RELEASE]), SERVER_ID: ack.options[SERVER_ID]}
        self._send(Message(_xid(), mac, options, ciaddr=ack.yiaddr))

    def decline(self, mac: str, ack: Message) -> None:
        """Say that what ``ack`` granted is in use by somebody; nobody answers that."""
        options = {KIND: bytes([DECLINE]), SERVER_ID: ack.options[SERVER_ID], REQUESTED_ADDRESS: ack.yiaddr.packed}
        self._send(Message(_xid(), mac, options))

    def _exchange(self, message: Message, kinds: Sequence[int], seconds: float) -> Message | None:
        """Send, and send again each second, until an answer of one of ``kinds`` comes."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._send(message)
            answer = self._answer(message, kinds, time.monotonic() + min(left, _RESEND_SECONDS))
            if answer is not None:
                return answer
        return None

    def _send(self, message: Message) -> None:
        # Another client may have taken the link down and up again since; asking for the error clears it.
        self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._socket.send(broadcast_frame(message.mac, message.encode()))

    def _answer(self, message: Message, kinds: Sequence[int], deadline: float) -> Message | None:
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._socket], [], [], left)[0]:
                return None
            payload = payload_to_client(self._socket.recv(4096))
            if payload is None:
                continue
            answer = Message.decode(payload)
            if answer.reply and answer.xid == message.xid and answer.mac == message.mac and answer.kind in kinds:
                return answer
        return None


def _xid() -> int:
    return secrets.randbits(32)
