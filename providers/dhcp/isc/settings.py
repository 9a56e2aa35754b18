"""``settings.d/dhcp_isc.yml``: the Ruby smart proxy's own keys, and which HMAC the key is for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from providers.dhcp.isc.omapi import ALGORITHMS


def _base64(value: str) -> None:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValidationError("is not Base64: copy the secret of the key from dhcpd.conf") from error


class ISCSchema(Schema):
    """What a provider for ISC dhcpd has to know; where dhcpd runs is ``:server:`` of ``dhcp.yml``."""

    config = fields.String(
        load_default="/etc/dhcp/dhcpd.conf",
        metadata={
            "help": "dhcpd's configuration, which Leasehold reads: hosts that are declared there are not touched, and "
            "their addresses not given to anybody else.",
            "allowed": "the path of a file",
        },
    )
    leases = fields.String(
        load_default="/var/lib/dhcpd/dhcpd.leases",
        metadata={
            "help": "The file in which dhcpd keeps its leases and the hosts that it was told about. Leasehold reads "
            "it; Debian has it as /var/lib/dhcp/dhcpd.leases.",
            "allowed": "the path of a file",
        },
    )
    omapi_port = fields.Integer(
        load_default=7911,
        validate=validate.Range(1, 65535),
        metadata={"help": "The port on which dhcpd listens for OMAPI: omapi-port of dhcpd.conf."},
    )
    key_name = fields.String(
        load_default=None,
        metadata={
            "help": "The name of the key that dhcpd wants for OMAPI: omapi-key of dhcpd.conf. Without it anybody who "
            "can connect to the port may change what dhcpd serves.",
            "computed": "none",
            "example": "omapi_key",
        },
    )
    key_secret = fields.String(
        load_default=None,
        validate=_base64,
        metadata={
            "help": "The secret of that key, as dhcpd.conf has it.",
            "allowed": "Base64",
            "computed": "none",
            "example": "copied from dhcpd.conf",
            "secret": True,
        },
    )
    key_algorithm = fields.String(
        load_default="hmac-md5",
        validate=validate.OneOf(ALGORITHMS),
        metadata={"help": "The algorithm of that key, as dhcpd.conf has it."},
    )

    @validates_schema
    def _key_is_whole(self, data: Mapping[str, Any], **_: object) -> None:
        """Half a key would mean to speak without one."""
        for given, missing in (("key_name", "key_secret"), ("key_secret", "key_name")):
            if data.get(given) and not data.get(missing):
                raise ValidationError(f"needs :{missing}: as well", given)
