"""``unused_ip`` through HTTP beside a do-nothing endpoint of the same service, in turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import load, seeding
from bench.report import Row, Target
from bench.ruby_proxy import FEATURES, NONE, UNUSED_IP
from bench.service import Service

CLIENTS = (1, 8, 32)

_NOTHING = load.always("/features")
_UNUSED_IP = load.with_new_macs("/dhcp/10.0.0.0/unused_ip")
_LEAST_SHARE = 0.4
_MOST_TAIL = 5
_LONGEST = 1.0
_TARGET_CLIENTS = {"share": 8, "tail": 32}


@dataclass
class _Seen:
    """What one endpoint showed in all rounds."""

    per_second: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def add(self, seen: load.Round) -> None:
        self.per_second.append(seen.per_second)
        self.latencies.extend(seen.latencies)

    def at(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

    def __str__(self) -> str:
        p50, p99, most = (1000 * value for value in (self.at(0.5), self.at(0.99), max(self.latencies)))
        return f"{median(self.per_second):.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {most:.0f} ms"

    def values(self) -> dict[str, float]:
        return {
            "per_second": median(self.per_second),
            "p50": self.at(0.5),
            "p99": self.at(0.99),
            "max": max(self.latencies),
            "requests": len(self.latencies),
        }


def through_http(directory: Path, seconds: float, rounds: int) -> Iterator[Row]:
    """Both endpoints with 1, 8 and 32 clients, on new connections and on kept ones."""
    file = directory / "throughput.db"
    with seeding.new_book(file) as book:
        seeding.add_subnet(book, "10.0.0.0/12")
    with Service(file) as service:
        for keep_alive in (False, True):
            for clients in CLIENTS:
                yield from _side_by_side(service, clients, seconds, rounds, keep_alive=keep_alive)


def _side_by_side(service: Service, clients: int, seconds: float, rounds: int, *, keep_alive: bool) -> Iterator[Row]:
    nothing, unused_ip = _Seen(), _Seen()
    for number in range(rounds + 1):
        for seen, requests in ((nothing, _NOTHING), (unused_ip, _UNUSED_IP)):
            warming_up = number == 0
            found = load.run(
                service.port,
                requests,
                clients=clients,
                seconds=seconds / 4 if warming_up else seconds,
                keep_alive=keep_alive,
            )
            if not warming_up:
                seen.add(found)
    share = median(found / most for found, most in zip(unused_ip.per_second, nothing.per_second, strict=True))
    how = f"{clients} {'client' if clients == 1 else 'clients'}, {'kept' if keep_alive else 'new'} connections"
    yield Row("GET /features", how, str(nothing), FEATURES.get((clients, keep_alive), NONE), values=nothing.values())
    yield Row(
        "unused_ip",
        how,
        f"{unused_ip}; {share:.0%} of /features",
        UNUSED_IP.get((clients, keep_alive), NONE),
        _target(clients, share, unused_ip) if not keep_alive else None,
        unused_ip.values() | {"share": share},
    )


def _target(clients: int, share: float, seen: _Seen) -> Target | None:
    if clients == _TARGET_CLIENTS["share"]:
        return Target(f"at least {_LEAST_SHARE:.0%} of /features", met=share >= _LEAST_SHARE)
    if clients == _TARGET_CLIENTS["tail"]:
        met = seen.at(0.99) < _MOST_TAIL * seen.at(0.5) and max(seen.latencies) <= _LONGEST
        return Target(f"p99 below {_MOST_TAIL} times p50, max {_LONGEST:.0f} s", met=met)
    return None
