"""Events."""

from __future__ import annotations

from marshmallow import Schema, fields

from proxy.api.v1.fields import Address, Network, Text, told
from proxy.api.v1.schemas.paging import GroupQuery, List, PageQuery


class EventsQuery(GroupQuery, PageQuery):
    """Which events to list; all that is given has to fit. ``group`` says which ``subnet`` is meant."""

    subnet = Network(load_default=None, metadata=told("Only what happened in this subnet."))
    address = Address(load_default=None, metadata=told("Only what happened to this address."))
    action = Text(least=1, load_default=None, metadata=told("Only this action.", example="address.reserve"))


class EventRow(Schema):
    """Who changed what, when."""

    id = fields.Integer(required=True)
    at = fields.String(required=True)
    actor = fields.String(required=True)
    request_id = fields.String(required=True, allow_none=True)
    action = fields.String(required=True)
    subnet = fields.String(required=True, allow_none=True)
    group = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    detail = fields.Dict(required=True, metadata=told("Depends on the action."))


class EventList(List):
    """Events, the newest first."""

    items = fields.List(fields.Nested(EventRow), required=True)
