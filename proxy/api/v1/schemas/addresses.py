"""Reservations, and the holds that come before them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from providers.model import Use
from proxy.api.v1.fields import LONGEST_NOTE, LONGEST_PAIR, MAC, Address, Network, Text, Whole, told
from proxy.api.v1.schemas.paging import GroupQuery, List, PageQuery

A_YEAR = 365 * 24 * 60
MOST_HOLDS = 64

_USES = [str(use) for use in Use]
_BY_HAND = [str(Use.MANUAL), str(Use.GUEST)]
_FOR = [str(use) for use in (Use.DHCP, Use.IPAM, Use.GUEST, Use.MANUAL)]


class AddressesQuery(GroupQuery, PageQuery):
    """Which reservations to list; all that is given has to fit."""

    subnet = Network(load_default=None, metadata=told("Only in this subnet and those inside it."))
    ip = Address(load_default=None, metadata=told("Only this address."))
    mac = MAC(load_default=None, metadata=told("Only of this MAC, of the address or of a DHCP host on it."))
    name = Text(least=1, load_default=None, metadata=told("Only of this name, whole and in its case, or DHCP host."))
    guest = Text(
        least=1,
        most=LONGEST_PAIR,
        load_default=None,
        metadata=told("Only of guests of this name, or `CLUSTER/NAME`."),
    )
    node = Text(least=1, load_default=None, metadata=told("Only of guests on this node."))
    note = Text(least=1, load_default=None, metadata=told("Only with this in the note, whatever the case."))
    text = Text(
        least=1,
        load_default=None,
        metadata=told("Only with this in the name, MAC, description or note, whatever the case."),
    )
    use = fields.String(load_default=None, validate=validate.OneOf(_USES), metadata=told("Only with this use."))


class Description(Schema):
    """What is told about an address. What is absent stays, null takes it away."""

    name = Text(allow_none=True, metadata=told("Name of what has the address.", example="web1"))
    mac = MAC(allow_none=True, metadata=told("Its MAC."))
    description = Text(allow_none=True, metadata=told("What has the address, in a few words."))
    note = Text(most=LONGEST_NOTE, allow_none=True, metadata=told("A few words for people."))


class ReservationBody(Schema):
    """An address to be reserved by hand."""

    name = Text(load_default=None, allow_none=True, metadata=told("Name of what has the address.", example="web1"))
    mac = MAC(
        load_default=None,
        allow_none=True,
        metadata=told("Its MAC; in a subnet on `/dhcp` it also gets a DHCP host of that name."),
    )
    description = Text(load_default=None, allow_none=True, metadata=told("What has the address, in a few words."))
    note = Text(most=LONGEST_NOTE, load_default=None, allow_none=True, metadata=told("A few words for people."))
    use = fields.String(
        load_default=str(Use.MANUAL), validate=validate.OneOf(_BY_HAND), metadata=told("What it is taken for.")
    )


class NextReservationBody(ReservationBody):
    """An address to be reserved, whichever is free."""

    key = Text(
        least=1,
        most=251,
        load_default=None,
        allow_none=True,
        metadata=told("Names this request: sending it again gives the same reservation, as long as that is there."),
    )
    first = Address(load_default=None, allow_none=True, data_key="from", metadata=told("No address below this one."))
    last = Address(load_default=None, allow_none=True, data_key="to", metadata=told("No address above this one."))


class ReleaseQuery(GroupQuery):
    """What to release."""

    use = fields.String(
        load_default=None, validate=validate.OneOf(_USES), metadata=told("Only this use; absent: all of them.")
    )


class HostRow(Schema):
    """What a DHCP server serves to one MAC."""

    mac = fields.String(required=True)
    name = fields.String(required=True)
    hostname = fields.String(required=True)
    filename = fields.String(required=True, allow_none=True)
    next_server = fields.String(required=True, allow_none=True)
    options = fields.Dict(required=True)


class ReservationRow(Schema):
    """A reservation."""

    address = fields.String(required=True)
    subnet = fields.String(required=True)
    group = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    mac = fields.String(required=True, allow_none=True)
    description = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    uses = fields.Dict(required=True, metadata=told("Each use, and the moment when it began."))
    hosts = fields.List(fields.Nested(HostRow), required=True)
    created_at = fields.String(required=True)
    changed_at = fields.String(required=True, metadata=told("When the uses last changed."))


class ReservationList(List):
    """Reservations, by subnet and address."""

    items = fields.List(fields.Nested(ReservationRow), required=True)


class ReleasedRow(Schema):
    """What was released, as it was before; empty when there was nothing."""

    released = fields.List(fields.Nested(ReservationRow), required=True)


class Wanted(Schema):
    """For whom an address is to be held."""

    key = Text(
        least=1,
        most=251,
        load_default=None,
        allow_none=True,
        metadata=told("Who asks: asking again with the same key gives the same address. Goes before the MAC."),
    )
    mac = MAC(load_default=None, allow_none=True, metadata=told("For this MAC: asking again gives the same address."))
    first = Address(load_default=None, allow_none=True, data_key="from", metadata=told("No address below this one."))
    last = Address(load_default=None, allow_none=True, data_key="to", metadata=told("No address above this one."))
    minutes = Whole(
        1, A_YEAR, load_default=None, allow_none=True, metadata=told("Hold it at least this long, in minutes.")
    )
    use = fields.String(
        load_default=str(Use.MANUAL),
        validate=validate.OneOf(_FOR),
        metadata=told("What for: `guest` holds it for `:hold_ttl_guest:`, a day if that is not set."),
    )


class HoldBody(Wanted):
    """Addresses to be held."""

    subnet = Network(required=True, metadata=told("Where."))
    group = Text(load_default="", metadata=told("Group of the subnet."))
    count = Whole(
        1,
        MOST_HOLDS,
        load_default=1,
        metadata=told("How many. All or none; with a key the second one has the key `KEY#2`, and so on."),
    )


class ExtendBody(Schema):
    """For how long a hold is to live on."""

    minutes = Whole(1, A_YEAR, required=True, metadata=told("From now on, in minutes. A hold is never shortened."))


class HoldsQuery(GroupQuery, PageQuery):
    """Which holds to list; all that is given has to fit."""

    subnet = Network(load_default=None, metadata=told("Only in this subnet and those inside it."))
    ip = Address(load_default=None, metadata=told("Only of this address."))
    key = Text(least=1, load_default=None, metadata=told("Only of this key, as the list shows it: `key:...`."))
    mac = MAC(load_default=None, metadata=told("Only of this MAC."))


class HoldQuery(GroupQuery):
    """Which hold is meant."""

    key = Text(
        least=1, load_default=None, metadata=told("Only the hold of this key, as the list shows it: `key:...`.")
    )


class HoldRow(Schema):
    """An address that is promised to somebody."""

    address = fields.String(required=True)
    subnet = fields.String(required=True)
    group = fields.String(required=True)
    key = fields.String(required=True, metadata=told("Who has it: `key:...`, `mac:...` or `anonymous:...`."))
    mac = fields.String(required=True, allow_none=True)
    taken_at = fields.String(
        required=True, allow_none=True, metadata=told("Null: not held, because the MAC has it reserved already.")
    )
    expires_at = fields.String(required=True, allow_none=True)


class HoldList(List):
    """Holds, by subnet and address."""

    items = fields.List(fields.Nested(HoldRow), required=True)
