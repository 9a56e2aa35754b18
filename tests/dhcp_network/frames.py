"""Ethernet frames with one UDP datagram over IPv4 in them, for a client that has no address yet."""

from __future__ import annotations

import struct

SERVER_PORT, CLIENT_PORT = 67, 68

_ETHERNET = struct.Struct("!6s6sH")
_IP = struct.Struct("!BBHHHBBH4s4s")
_UDP = struct.Struct("!HHHH")
_TYPE_IP, _PROTOCOL_UDP = 0x0800, 17


def broadcast_frame(mac: str, payload: bytes) -> bytes:
    """``payload`` from a client without an address (``mac``) to every DHCP server on the link."""
    length = _UDP.size + len(payload)
    source, target = b"\0" * 4, b"\xff" * 4
    pseudo = struct.pack("!4s4sBBH", source, target, 0, _PROTOCOL_UDP, length)
    udp = _UDP.pack(CLIENT_PORT, SERVER_PORT, length, 0)
    udp = _UDP.pack(CLIENT_PORT, SERVER_PORT, length, _checksum(pseudo + udp + payload) or 0xFFFF)
    ip = _IP.pack(0x45, 0, _IP.size + length, 0, 0, 64, _PROTOCOL_UDP, 0, source, target)
    ip = _IP.pack(0x45, 0, _IP.size + length, 0, 0, 64, _PROTOCOL_UDP, _checksum(ip), source, target)
    return _ETHERNET.pack(b"\xff" * 6, bytes.fromhex(mac.replace(":", "")), _TYPE_IP) + ip + udp + payload


def payload_to_client(frame: bytes) -> bytes | None:
    """What a frame carries to the DHCP client port; None when it carries something else."""
    if len(frame) < _ETHERNET.size + _IP.size + _UDP.size or _ETHERNET.unpack_from(frame)[2] != _TYPE_IP:
        return None
    ip = frame[_ETHERNET.size :]
    header = (ip[0] & 0x0F) * 4
    if ip[9] != _PROTOCOL_UDP or _UDP.unpack_from(ip, header)[1] != CLIENT_PORT:
        return None
    length = _UDP.unpack_from(ip, header)[2]
    return ip[header + _UDP.size : header + length]


def _checksum(octets: bytes) -> int:
    """RFC 1071."""
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
