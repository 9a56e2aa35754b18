"""The command ``leasehold-hook``: what a guest host runs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from urllib.error import URLError
from urllib.request import Request, urlopen

_DEFAULT_URL = "http://127.0.0.1:8000"
_TIMEOUT_SECONDS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 fine, 1 the service does not answer, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="leasehold-hook", description="What a guest host asks of Leasehold.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="tell whether the service answers, and which version it is")
    check.add_argument(
        "--url",
        default=os.environ.get("LEASEHOLD_URL", _DEFAULT_URL),
        help=f"where the service is; default: LEASEHOLD_URL, else {_DEFAULT_URL}",
    )
    return _check(parser.parse_args(arguments).url)


def _check(url: str) -> int:
    if not url.startswith(("http://", "https://")):
        print(f"leasehold-hook: {url} is no http or https URL", file=sys.stderr)  # noqa: T201 - a command talks
        return 2
    request = Request(url.rstrip("/") + "/version", headers={"Accept": "application/json"})  # noqa: S310 - checked
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - checked above
            version = json.load(answer)["version"]
    except (URLError, OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "reason", error)
        print(f"leasehold-hook: no Leasehold answers at {url}: {reason}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"Leasehold {version} answers at {url}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
