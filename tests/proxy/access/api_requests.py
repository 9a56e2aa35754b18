"""A request for every endpoint of /api/v1 with which nothing is wrong, on what ``seeded`` has."""

from __future__ import annotations

from typing import Any

_NODE = {"node": "node1"}
_SUBNET = "/subnets/<address>/<prefix>"
_LAB = "/subnets/10.0.1.0/24"

API_REQUESTS: dict[str, tuple[str, Any]] = {
    f"{method} /api/v1{rule}": (f"/api/v1{path}", body)
    for method, rule, path, body in (
        ("GET", "/openapi.json", "/openapi.json", None),
        ("GET", "/docs", "/docs", None),
        ("GET", "/groups", "/groups", None),
        ("POST", "/groups", "/groups", {"name": "New"}),
        ("GET", "/subnets", "/subnets", None),
        ("POST", "/subnets", "/subnets", {"network": "10.0.9.0/24", "group": "Lab"}),
        ("GET", _SUBNET, f"{_LAB}?group=Lab", None),
        ("PATCH", _SUBNET, f"{_LAB}?group=Lab", {"description": "x"}),
        ("DELETE", _SUBNET, "/subnets/10.0.3.0/24", None),
        ("GET", f"{_SUBNET}/utilisation", f"{_LAB}/utilisation?group=Lab", None),
        ("POST", f"{_SUBNET}/next", f"{_LAB}/next?group=Lab", {}),
        ("POST", f"{_SUBNET}/addresses", f"{_LAB}/addresses?group=Lab", {}),
        ("GET", "/addresses", "/addresses", None),
        ("GET", "/addresses/<ip>", "/addresses/10.0.1.10?group=Lab", None),
        ("PUT", "/addresses/<ip>", "/addresses/10.0.1.60?group=Lab", {"name": "new"}),
        ("PATCH", "/addresses/<ip>", "/addresses/10.0.1.10?group=Lab", {"note": "x"}),
        ("DELETE", "/addresses/<ip>", "/addresses/10.0.1.43?group=Lab", None),
        ("POST", "/addresses/<ip>/adopt", "/addresses/10.0.1.42/adopt?group=Lab", None),
        ("GET", "/holds", "/holds", None),
        ("POST", "/holds", "/holds", {"subnet": "10.0.1.0/24", "group": "Lab"}),
        ("PATCH", "/holds/<ip>", "/holds/10.0.1.200?group=Lab", {"minutes": 90}),
        ("DELETE", "/holds/<ip>", "/holds/10.0.1.201?group=Lab", None),
        ("GET", "/guests", "/guests", None),
        ("PUT", "/guests", "/guests", {"cluster": "node1", "guests": [], **_NODE}),
        ("GET", "/guests/<cluster>/<name>", "/guests/node1/web1", None),
        ("PUT", "/guests/<cluster>/<name>", "/guests/node1/web1", _NODE),
        ("PATCH", "/guests/<cluster>/<name>", "/guests/node1/web1", {"state": "running", **_NODE}),
        ("DELETE", "/guests/<cluster>/<name>", "/guests/node1/none?node=node1", None),
        ("POST", "/guests/<cluster>/<name>/rename", "/guests/node1/web2/rename", {"new_name": "web3", **_NODE}),
        ("POST", "/guests/<cluster>/<name>/claim", "/guests/node1/web1/claim", _NODE),
        ("PATCH", "/guests/<cluster>/<name>/claim", "/guests/node1/web4/claim", _NODE),
        ("DELETE", "/guests/<cluster>/<name>/claim", "/guests/node1/none/claim?node=node1", None),
        ("GET", "/claims", "/claims", None),
        ("GET", "/events", "/events", None),
    )
}
