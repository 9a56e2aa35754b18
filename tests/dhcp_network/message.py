"""DHCP messages as they are on the wire: RFC 2131 for the fields, RFC 2132 for the options, RFC 3396 for long ones."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from netaddr import IPAddress

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)

SUBNET_MASK, ROUTERS, DNS, HOSTNAME, DOMAIN, MTU, NTP = 1, 3, 6, 12, 15, 26, 42
REQUESTED_ADDRESS, LEASE_SECONDS, OVERLOAD, KIND, SERVER_ID, PARAMETERS = 50, 51, 52, 53, 54, 55
CLIENT_ID, SERVER_NAME, BOOT_FILE = 61, 66, 67

ANY = IPAddress("0.0.0.0")
_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_COOKIE = b"\x63\x82\x53\x63"
_BROADCAST_FLAG = 0x8000
_PAD, _END = 0, 255
_SHORTEST = 300
"""RFC 1542, section 2.1: a BOOTP message is no shorter."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``options`` maps the code of each option to its octets, overloaded and long ones put together.

    ``file`` and ``sname`` are the fields of the header, empty where they carried options instead.
    """

    xid: int
    mac: str
    options: Mapping[int, bytes] = field(default_factory=dict)
    reply: bool = False
    ciaddr: IPAddress = ANY
    yiaddr: IPAddress = ANY
    siaddr: IPAddress = ANY
    giaddr: IPAddress = ANY
    sname: bytes = b""
    file: bytes = b""

    @property
    def kind(self) -> int | None:
        """DISCOVER, OFFER, and so on; None for BOOTP, which has no kinds."""
        return self.options[KIND][0] if KIND in self.options else None

    def text(self, code: int) -> str | None:
        """An option that is text; NULs at its end do not count."""
        value = self.options.get(code)
        return None if value is None else value.rstrip(b"\0").decode()

    def number(self, code: int) -> int | None:
        """An option that is a number of any width."""
        value = self.options.get(code)
        return None if value is None else int.from_bytes(value, "big")

    def addresses(self, code: int) -> list[str]:
        """An option that is a list of addresses."""
        value = self.options.get(code, b"")
        return [_address(value[start : start + 4]).format() for start in range(0, len(value), 4)]

    @property
    def hostname(self) -> str | None:
        """Option 12."""
        return self.text(HOSTNAME)

    @property
    def routers(self) -> list[str]:
        """Option 3."""
        return self.addresses(ROUTERS)

    @property
    def dns(self) -> list[str]:
        """Option 6."""
        return self.addresses(DNS)

    @property
    def boot_file(self) -> str:
        """What the ``file`` field of the header says: all that many a boot ROM reads."""
        return self.file.decode()

    def encode(self) -> bytes:
        """The octets to send, the broadcast flag set."""
        fixed = _FIXED.pack(
            2 if self.reply else 1, 1, 6, 0, self.xid, 0, _BROADCAST_FLAG,
            self.ciaddr.packed, self.yiaddr.packed, self.siaddr.packed, self.giaddr.packed,
            bytes.fromhex(self.mac.replace(":", "")), self.sname, self.file,
        )  # fmt: skip
        options = b"".join(bytes([code, len(value)]) + value for code, value in self.options.items())
        return (fixed + _COOKIE + options + bytes([_END])).ljust(_SHORTEST, b"\0")

    @classmethod
    def decode(cls, octets: bytes) -> Message:
        """Read what came; raises ValueError for what is no DHCP message."""
        if len(octets) < _FIXED.size or octets[_FIXED.size : _FIXED.size + 4] not in (_COOKIE, b""):
            raise ValueError("not a DHCP message")
        op, _, length, _, xid, _, _, ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file = _FIXED.unpack_from(octets)
        options = _options(octets[_FIXED.size + 4 :])
        overload = options.get(OVERLOAD, b"\0")[0]
        # RFC 2131, section 4.1: first the file field, then the sname field.
        for bit, octets_of_field in ((1, file), (2, sname)):
            if overload & bit:
                for code, value in _options(octets_of_field).items():
                    options[code] = options.get(code, b"") + value
        return cls(
            xid=xid,
            mac=chaddr[:length].hex(":"),
            options=options,
            reply=op == 2,
            ciaddr=_address(ciaddr),
            yiaddr=_address(yiaddr),
            siaddr=_address(siaddr),
            giaddr=_address(giaddr),
            sname=b"" if overload & 2 else sname.split(b"\0")[0],
            file=b"" if overload & 1 else file.split(b"\0")[0],
        )


def _options(octets: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at < len(octets) and octets[at] != _END:
        if octets[at] == _PAD:
            at += 1
            continue
        code, length = octets[at], octets[at + 1]
        found[code] = found.get(code, b"") + octets[at + 2 : at + 2 + length]
        at += 2 + length
    return found


def _address(octets: bytes) -> IPAddress:
    return IPAddress(int.from_bytes(octets, "big"), 4)
