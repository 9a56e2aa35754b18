"""Groups and subnets."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from providers.model import Strategy
from proxy.api.v1.fields import LONGEST_NOTE, Address, Flag, Network, QueryFlag, Span, Text, Whole, told
from proxy.api.v1.schemas.paging import GroupQuery, List, PageQuery

_STRATEGIES = [str(strategy) for strategy in Strategy]


class GroupBody(Schema):
    """A group to be made."""

    name = Text(least=1, required=True, metadata=told("Its name; unique without regard to case.", example="Lab"))
    description = Text(most=LONGEST_NOTE, load_default="", metadata=told("A few words for people."))


class GroupRow(Schema):
    """A group."""

    name = fields.String(required=True)
    description = fields.String(required=True)
    subnets = fields.Integer(required=True, metadata=told("How many subnets it has."))
    id = fields.Integer(required=True)


class GroupList(List):
    """Groups, by name."""

    items = fields.List(fields.Nested(GroupRow), required=True)


class SubnetsQuery(GroupQuery, PageQuery):
    """Which subnets to list."""

    dhcp = QueryFlag(load_default=None, metadata=told("Only those that `/dhcp` serves, or does not."))
    ip = Address(load_default=None, metadata=told("Only the smallest one that holds this address; 404 if none does."))


class RemoveQuery(GroupQuery):
    """How to remove a subnet."""

    force = QueryFlag(load_default=False, metadata=told("Also when something in it is reserved or held; that is lost."))


class SubnetChanges(Schema):
    """What can change about a subnet. What is absent stays; null takes a value away."""

    description = Text(most=LONGEST_NOTE, metadata=told("A few words for people."))
    dhcp = Flag(metadata=told("Whether `/dhcp` serves it, IPv4 only; a new one is served."))
    strategy = fields.String(
        validate=validate.OneOf(_STRATEGIES), metadata=told("Which free address comes next; a new subnet: first.")
    )
    pool = Span(allow_none=True, metadata=told("Addresses to hand out; without it all but the dynamic range."))
    dynamic = Span(allow_none=True, metadata=told("Addresses that the DHCP server hands out on its own."))
    exclusions = fields.List(Span(), validate=validate.Length(max=256), metadata=told("Addresses never to suggest."))
    gateway = Address(allow_none=True, metadata=told("Default gateway; never handed out."))
    dns = fields.List(Address(), validate=validate.Length(max=16), metadata=told("Name servers."))
    ntp = fields.List(Address(), validate=validate.Length(max=16), metadata=told("Time servers."))
    domain = Text(least=1, allow_none=True, metadata=told("Domain name.", example="example.com"))
    mtu = Whole(68, 0xFFFF, allow_none=True, metadata=told("MTU in bytes."))
    next_server = Text(least=1, most=64, allow_none=True, metadata=told("Boot server: an IPv4 address or a name."))
    filename = Text(least=1, most=128, allow_none=True, metadata=told("Boot file."))


class SubnetBody(SubnetChanges):
    """A subnet to be made."""

    network = Network(required=True, metadata=told("Its network, which never changes."))
    group = Text(
        least=1, load_default="default", metadata=told("Group to put it in, made when it is new.", example="Lab")
    )


class OccupancyRow(Schema):
    """How full a subnet is, in addresses, without the subnets inside it."""

    reserved = fields.Integer(required=True)
    held = fields.Integer(required=True)
    resting = fields.Integer(required=True, metadata=told("Released lately, and kept for whoever had them."))
    free = fields.Integer(required=True, metadata=told("What is left to be suggested to somebody without a range."))


class SubnetRow(OccupancyRow):
    """A subnet, its options beside its other settings, and how full it is."""

    network = fields.String(required=True)
    group = fields.String(required=True)
    description = fields.String(required=True)
    dhcp = fields.Boolean(required=True)
    strategy = fields.String(required=True, validate=validate.OneOf(_STRATEGIES))
    pool = fields.String(required=True, allow_none=True)
    dynamic = fields.String(required=True, allow_none=True)
    exclusions = fields.List(fields.String(), required=True)
    gateway = fields.String(required=True, allow_none=True)
    dns = fields.List(fields.String(), required=True)
    ntp = fields.List(fields.String(), required=True)
    domain = fields.String(required=True, allow_none=True)
    mtu = fields.Integer(required=True, allow_none=True)
    next_server = fields.String(required=True, allow_none=True)
    filename = fields.String(required=True, allow_none=True)
    id = fields.Integer(required=True)


class SubnetList(List):
    """Subnets, by network."""

    items = fields.List(fields.Nested(SubnetRow), required=True)
