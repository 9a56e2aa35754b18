"""Guests, as their nodes report them, and claims."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from providers.guests import GuestState
from proxy.api.v1.fields import LONGEST_NOTE, MAC, Address, Flag, Moment, QueryWhole, Text, Whole, told
from proxy.api.v1.schemas.paging import MOST, List, PageQuery

MOST_GUESTS = 256
MOST_OF_A_GUEST = 64
_LONGEST_TIME = 366 * 24 * 3600
_STATES = [str(state) for state in GuestState]


def _at() -> Moment:
    return Moment(
        load_default=None,
        allow_none=True,
        metadata=told("When it happened on the node; absent: now. What is older than what is known has no effect."),
    )


def _node() -> Text:
    return Text(least=1, required=True, metadata=told("The node that says so.", example="node7"))


def _since() -> Moment:
    return Moment(
        load_default=None,
        allow_none=True,
        metadata=told("Only the claim that began then, as it was told; 409 if there is another one by now."),
    )


class NICBody(Schema):
    """A network card, in the order in which the guest has them."""

    error_messages = {"type": 'Write an object, such as {"mac": "52:54:00:aa:00:01"}.'}  # noqa: RUF012 - marshmallow's

    mac = MAC(load_default=None, allow_none=True)
    name = Text(least=1, load_default=None, allow_none=True, metadata=told("How the guest or its tool calls it."))
    parent = Text(least=1, load_default=None, allow_none=True, metadata=told("The bridge or card below it."))


class GuestAddressBody(Schema):
    """An address of a guest."""

    error_messages = {"type": 'Write an object, such as {"address": "10.0.1.5"}.'}  # noqa: RUF012 - marshmallow's

    address = Address(required=True)
    nic = Text(
        least=1,
        load_default=None,
        allow_none=True,
        metadata=told("Name of the card that has it; absent: the first one with a MAC."),
    )
    shared = Flag(load_default=False, metadata=told("Other guests that mark it so may have it too."))


class ReportBody(Schema):
    """What a node says about a guest of its own. What is absent or null stays as it is."""

    node = _node()
    at = _at()
    emulator = Text(least=1, load_default=None, allow_none=True, metadata=told("What runs it.", example="jail"))
    hostname = Text(least=1, load_default=None, allow_none=True)
    state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf([*_STATES, None]))
    addresses = fields.List(
        fields.Nested(GuestAddressBody),
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=MOST_OF_A_GUEST),
        metadata=told("All of them: new ones are reserved, missing ones released. Absent: unchanged."),
    )
    nics = fields.List(
        fields.Nested(NICBody), load_default=None, allow_none=True, validate=validate.Length(max=MOST_OF_A_GUEST)
    )
    group = Text(load_default="", metadata=told("In which group the addresses lie; empty: in any."))
    note = Text(most=LONGEST_NOTE, load_default=None, allow_none=True, metadata=told("A few words for people."))


class ListedReport(ReportBody):
    """A guest in a list of one node."""

    class Meta:
        """The node is said once, for all of them."""

        exclude = ("node",)

    name = Text(least=1, segment=True, required=True)


class ReportsBody(Schema):
    """Guests of one node; those that are not among them stay as they are."""

    cluster = Text(
        least=1, segment=True, required=True, metadata=told("Their cluster; the node's own name if it is in none.")
    )
    node = _node()
    guests = fields.List(
        fields.Nested(ListedReport),
        required=True,
        validate=validate.Length(max=MOST_GUESTS),
        metadata=told("Each is decided on its own. Send more in several requests."),
    )


class StateBody(Schema):
    """A new state of a guest."""

    node = _node()
    at = _at()
    state = fields.String(required=True, validate=validate.OneOf(_STATES))


class RenameBody(Schema):
    """A new name of a guest."""

    new_name = Text(least=1, segment=True, required=True)
    node = Text(
        least=1, load_default=None, allow_none=True, metadata=told("The node that says so; absent: an operator.")
    )
    at = _at()


class RemoveGuestQuery(Schema):
    """Whose guest to forget."""

    node = Text(
        least=1, load_default=None, metadata=told("Only while it belongs to this node; otherwise nothing happens.")
    )
    at = _at()


class GuestsQuery(PageQuery):
    """Which guests to list; all that is given has to fit."""

    cluster = Text(least=1, load_default=None)
    node = Text(least=1, load_default=None)
    state = fields.String(load_default=None, validate=validate.OneOf(_STATES))
    emulator = Text(least=1, load_default=None)
    address = Address(load_default=None)
    mac = MAC(load_default=None)
    text = Text(least=1, load_default=None, metadata=told("In the name, hostname or note, whatever the case."))


class ClaimBody(Schema):
    """Who wants to run the guest, and for how long."""

    node = _node()
    lifetime = Whole(
        1,
        _LONGEST_TIME,
        load_default=None,
        allow_none=True,
        metadata=told("Seconds without renewal after which it ends; absent: never."),
    )
    renewal_interval = Whole(
        1,
        _LONGEST_TIME,
        load_default=None,
        allow_none=True,
        metadata=told("How often the node means to renew it, in seconds; the lifetime has to be three times that."),
    )
    force = Flag(load_default=False, metadata=told("Take it from whoever holds it. That is recorded."))


class RenewBody(Schema):
    """Who renews."""

    node = _node()
    since = _since()


class ReleaseClaimQuery(Schema):
    """Whose claim to end."""

    node = Text(least=1, load_default=None, metadata=told("Only the claim of this node; absent: whoever holds it."))
    since = _since()
    idle = QueryWhole(
        0,
        _LONGEST_TIME,
        load_default=None,
        metadata=told("Only if it was neither taken nor renewed for so many seconds; 409 if it was."),
    )


class ClaimsQuery(PageQuery):
    """Which claims to list; all that is given has to fit."""

    limit = QueryWhole(1, MOST, load_default=MOST, metadata=told("How many items a page has at most."))
    cluster = Text(least=1, load_default=None)
    node = Text(least=1, load_default=None)
    text = Text(least=1, load_default=None, metadata=told("In the name of the guest, whatever the case."))


class ClaimRow(Schema):
    """The right of one node to run a guest."""

    cluster = fields.String(required=True)
    name = fields.String(required=True)
    node = fields.String(required=True)
    since = fields.String(required=True)
    renewed_at = fields.String(required=True)
    expires_at = fields.String(required=True, allow_none=True)
    forced_from = fields.String(required=True, allow_none=True)


class ClaimList(List):
    """Claims, by cluster and name."""

    items = fields.List(fields.Nested(ClaimRow), required=True)


class ReleasedClaimRow(Schema):
    """The claim that was ended; null when there was none."""

    released = fields.Nested(ClaimRow, required=True, allow_none=True)


class GuestAddressRow(Schema):
    """An address of a guest; subnet and group are null where no subnet of the book holds it."""

    address = fields.String(required=True)
    subnet = fields.String(required=True, allow_none=True)
    group = fields.String(required=True, allow_none=True)
    nic = fields.String(required=True, allow_none=True)
    shared = fields.Boolean(required=True)


class NICRow(Schema):
    """A network card."""

    mac = fields.String(required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True)
    parent = fields.String(required=True, allow_none=True)


class GuestRow(Schema):
    """A guest."""

    cluster = fields.String(required=True)
    name = fields.String(required=True)
    node = fields.String(required=True)
    emulator = fields.String(required=True, allow_none=True)
    hostname = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(_STATES))
    note = fields.String(required=True, allow_none=True)
    addresses = fields.List(fields.Nested(GuestAddressRow), required=True)
    nics = fields.List(fields.Nested(NICRow), required=True)
    claim = fields.Nested(ClaimRow, required=True, allow_none=True)
    event_at = fields.String(required=True, metadata=told("The moment of the last report that counted."))
    created_at = fields.String(required=True)
    changed_at = fields.String(required=True)


class GuestList(List):
    """Guests, by cluster and name."""

    items = fields.List(fields.Nested(GuestRow), required=True)


class OutcomeRow(Schema):
    """What became of a report."""

    accepted = fields.Boolean(required=True, metadata=told("False: it had no effect, and that is no error."))
    reason = fields.String(required=True, allow_none=True, metadata=told("Why it had no effect."))
    guest = fields.Nested(GuestRow, required=True, allow_none=True)


class OutcomeList(Schema):
    """What became of each report, in their order: an outcome, or an error in the one shape of errors."""

    items = fields.List(fields.Dict(), required=True)
