"""Somebody else's script on the API: what others do to a phpIPAM, the double or a real one."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import requests

Row = dict[str, Any]


class Script:
    """Logged in as one user through one app, and sure of itself: any answer that it does not expect is an error."""

    def __init__(self, url: str, user: str, password: str, app: str) -> None:
        self._base = f"{url.rstrip('/')}/api/{app}"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Content-Type"] = "application/json"
        token = self._call("POST", "user/", auth=(user, password), expected=(200,))["data"]["token"]
        self._session.headers["token"] = token

    def section(self, name: str) -> int:
        """The id of the section of that name."""
        for row in self._call("GET", "sections/", expected=(200,))["data"]:
            if row["name"] == name:
                return int(row["id"])
        raise LookupError(f"phpIPAM has no section {name}")

    def subnets(self, section: int) -> list[Row]:
        """The subnets of a section."""
        return list(self._call("GET", f"sections/{section}/subnets/").get("data", []))

    def add_subnet(self, cidr: str, section: int) -> int:
        """Make a subnet; its id."""
        network, mask = cidr.split("/")
        body = {"subnet": network, "mask": mask, "sectionId": section}
        return int(self._call("POST", "subnets/", json=body, expected=(201,))["id"])

    def remove_subnet(self, subnet: int) -> None:
        """Remove a subnet with its addresses, if it is there."""
        self._call("DELETE", f"subnets/{subnet}/")

    def take(self, subnet: int, address: str, **fields: object) -> int | None:
        """Make an address; its id, or None when it is taken."""
        body = {"subnetId": subnet, "ip": address, **fields}
        answer = self._call("POST", "addresses/", json=body, expected=(201, 409))
        return int(answer["id"]) if answer["success"] else None

    def take_first_free(self, subnet: int, **fields: object) -> tuple[int, str]:
        """Take what phpIPAM chooses; id and address."""
        answer = self._call("POST", f"addresses/first_free/{subnet}/", json=fields, expected=(201,))
        return int(answer["id"]), answer["data"]

    def row(self, subnet: int, address: str) -> Row | None:
        """The row of an address."""
        rows = self._call("GET", f"addresses/search/{quote(address, safe=':')}/").get("data", [])
        return next((row for row in rows if int(row["subnetId"]) == subnet), None)

    def named(self, hostname: str) -> list[Row]:
        """The rows that have a hostname."""
        return list(self._call("GET", f"addresses/search_hostname/{quote(hostname, safe='')}/").get("data", []))

    def rows(self, subnet: int) -> list[Row]:
        """All rows of a subnet."""
        return list(self._call("GET", f"subnets/{subnet}/addresses/").get("data", []))

    def remove(self, key: int) -> None:
        """Remove a row, if it is there."""
        self._call("DELETE", f"addresses/{key}/")

    def _call(self, method: str, path: str, *, expected: tuple[int, ...] = (200, 404), **asked: Any) -> dict[str, Any]:
        answer = self._session.request(method, f"{self._base}/{path}", timeout=60, **asked)
        assert answer.status_code in expected, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return dict(answer.json())
