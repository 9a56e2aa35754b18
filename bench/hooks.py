"""How long a hook takes from the start of its process to its end, beside a bare interpreter and curl.

A guest waits for its hooks. What they may take is a multiple of ``python3 -c pass``, which nothing written in Python
can undercut, and one round trip.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipapp
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import seeding
from bench.report import Row, Target
from bench.service import Service

_ROOT = Path(__file__).parent.parent
_NETWORK = "10.0.0.0/16"
_MOST = 2.5
_MAIN = "import sys\n\nfrom hooks.main import main\n\nsys.exit(main())\n"


@dataclass(frozen=True, slots=True)
class _Command:
    """A process to be started again and again."""

    name: str
    arguments: Callable[[int], list[str]]
    environment: Mapping[str, str]


def beside_curl(directory: Path, rounds: int) -> Iterator[Row]:
    """Hooks, and the same calls by curl, in turns, so that a machine that slows down does so for all of them."""
    python = getattr(sys, "_base_executable", sys.executable)
    file = directory / "hooks.db"
    with seeding.new_book(file) as book:
        seeding.add_subnet(book, _NETWORK)
    program = _one_file(directory, python)
    with Service(file) as service:
        commands = list(_commands(directory, program, python, f"http://127.0.0.1:{service.port}"))
        times: dict[str, list[float]] = {each.name: [] for each in commands}
        for number in range(-1, rounds):
            for command in commands:
                taken = _run(command, number)
                if number >= 0:
                    times[command.name].append(taken)
        trips = [_trip(service) for _ in range(rounds)]
    bare, trip = median(times[commands[0].name]), median(trips)
    called = f"{trip * 1000:.1f} ms"
    yield Row("one call over HTTP", "a request that changes nothing", called, "-", values={"seconds": trip})
    for command in commands:
        taken = median(times[command.name])
        share = (taken - trip) / bare
        is_ours = command.name.startswith("leasehold-hook")
        yield Row(
            "start to end of a process",
            command.name,
            f"{taken * 1000:.0f} ms" + (f", {share:.1f} times python3 -c pass and a call" if is_ours else ""),
            "-",
            Target(f"at most {_MOST} times and a call", met=share <= _MOST) if is_ours else None,
            {"seconds": taken, "share": share},
        )


def _commands(directory: Path, program: Path, python: str, url: str) -> Iterator[_Command]:
    settings = directory / "hook.toml"
    settings.write_text(
        f'urls = ["{url}"]\nnode = "node1"\ncluster = "east"\nsubnets = ["{_NETWORK}"]\nclaims = false\n'
        f'spool_dir = "{directory / "spool"}"\nsyslog = false\n'
    )
    ours = {"PATH": os.environ["PATH"], "LEASEHOLD_HOOK_CONFIG": str(settings)}
    hook = directory / "web1" / "master_prestart.d" / "leasehold"
    hook.parent.mkdir(parents=True)
    hook.symlink_to(program)
    helper = directory / "leasehold-dhcpd"
    helper.symlink_to(program)
    guest = {"jname": "web1", "ip4_addr": "10.0.200.1/24", "host_hostname": "web1.example.com"}
    curl = shutil.which("curl")
    yield _Command("python3 -c pass", lambda _: [python, "-c", "pass"], {"PATH": os.environ["PATH"]})
    yield _Command("leasehold-hook, address of the DHCP helper", lambda _: [str(helper)], ours)
    if curl is not None:
        path = f"{url}/api/v1/subnets/{_NETWORK}/next"
        yield _Command("curl, the same call", lambda number: _post(curl, "POST", path, {"key": f"east/{number}"}), ours)
    yield _Command("leasehold-hook, report of a start", lambda _: [str(hook)], ours | guest)
    if curl is not None:
        report = {"node": "node1", "state": "starting", "addresses": [{"address": "10.0.200.2"}]}
        where = f"{url}/api/v1/guests/east/web2"
        yield _Command("curl, the same report", lambda _: _post(curl, "PUT", where, report), ours)


def _post(curl: str, method: str, url: str, body: object) -> list[str]:
    header = "Content-Type: application/json"
    return [curl, "-sSf", "-o", os.devnull, "-X", method, "-H", header, "-d", json.dumps(body), url]


def _run(command: _Command, number: int) -> float:
    arguments = command.arguments(number)
    began = time.perf_counter()
    done = subprocess.run(arguments, env=dict(command.environment), stdin=subprocess.DEVNULL, capture_output=True)
    taken = time.perf_counter() - began
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f"{command.name}: status {done.returncode}: {done.stderr.decode(errors='replace')}")
    return taken


def _trip(service: Service) -> float:
    began = time.perf_counter()
    service.get("/api/v1/guests?limit=1")
    return time.perf_counter() - began


def _one_file(directory: Path, python: str) -> Path:
    """``leasehold-hook.pyz``, as ``make hook`` builds it."""
    program = directory / "leasehold-hook.pyz"
    with tempfile.TemporaryDirectory() as place:
        source = Path(place)
        shutil.copytree(_ROOT / "hooks", source / "hooks", ignore=shutil.ignore_patterns("__pycache__"))
        (source / "__main__.py").write_text(_MAIN)
        compiling = [python, "-m", "compileall", "-q", "-b", "--invalidation-mode", "unchecked-hash", place]
        subprocess.run(compiling, check=True)
        zipapp.create_archive(source, program, interpreter=python, compressed=True)
    return program
