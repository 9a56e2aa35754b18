"""The faces as Foreman calls them."""

from __future__ import annotations

from flask import Flask

from providers.address_book import AddressBook


class Proxy:
    """``/dhcp`` of one started proxy; each call returns the status of the answer."""

    def __init__(self, app: Flask, book: AddressBook) -> None:
        self.book = book
        self.client = app.test_client()
        self.answer = ""

    def post(self, mac: str, ip: str, *, network: str = "10.0.1.0", **form: object) -> int:
        """Reserve, with what Foreman sends; ``answer`` holds what was said."""
        name = f"h{mac.replace(':', '')[-4:]}.example.com"
        given = {"mac": mac, "ip": ip, "name": name, "hostname": name} | form
        answer = self.client.post(f"/dhcp/{network}", data=given)
        self.answer = answer.text
        return answer.status_code

    def delete(self, mac: str, *, network: str = "10.0.1.0") -> int:
        """Remove the reservation of a MAC."""
        answer = self.client.delete(f"/dhcp/{network}/mac/{mac}")
        self.answer = answer.text
        return answer.status_code

    def reserved(self, network: str = "10.0.1.0") -> dict[str, str]:
        """The reservations that the proxy lists: MAC to address."""
        listed = self.client.get(f"/dhcp/{network}").get_json()
        return {each["mac"]: each["ip"] for each in listed["reservations"]}
