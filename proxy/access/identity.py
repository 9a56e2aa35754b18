"""Who sent a request, as far as it was proved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from providers.tokens import Token


class Proof(StrEnum):
    """How we know."""

    NONE = "none"
    """Plain HTTP from somewhere: the address is all there is."""
    LOOPBACK = "loopback"
    NAME = "name"
    """A trusted name, found by reverse DNS."""
    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 - a kind of proof


@dataclass(frozen=True, slots=True)
class Identity:
    """Whoever sent a request.

    ``name`` is the token's, the certificate's or the host's name, else the address. ``token`` is there with a proof
    of that kind only.
    """

    proof: Proof
    name: str
    token: Token | None = None

    @property
    def by_address(self) -> bool:
        """Whether nothing but the address they came from says who they are."""
        return self.proof in {Proof.NONE, Proof.LOOPBACK, Proof.NAME}

    @property
    def actor(self) -> str:
        """For the event log. The prefix keeps a token called ``127.0.0.1`` from looking like an address."""
        prefix = {Proof.TOKEN: "token ", Proof.CERTIFICATE: "certificate "}.get(self.proof, "")
        return f"{prefix}{self.name}"
