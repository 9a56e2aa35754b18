"""The double in a process of its own, for whoever has none: ``python -m tests.phpipam 10.60.0.0/24 --taken 100``.

Prints its URL; the user is leasehold, the password leasehold-pass, the app leasehold. For each line of input it prints
how many calls of each kind there were, in JSON, and it ends when its input does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter

from tests.phpipam.double import Double


def main() -> None:
    """Serve until whoever started this closes the pipe."""
    parser = argparse.ArgumentParser(prog="python -m tests.phpipam")
    parser.add_argument("subnets", nargs="*", default=["10.60.0.0/24"], metavar="SUBNET")
    parser.add_argument("--section", default="Lab")
    parser.add_argument("--taken", type=int, default=0, metavar="NUMBER", help="of the first addresses of each subnet")
    parser.add_argument("--port", type=int, default=0)
    asked = parser.parse_args()
    double = Double()
    for cidr in asked.subnets:
        double.fill(double.add_subnet(cidr, asked.section), asked.taken)
    with double.serve(port=asked.port) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        for _ in sys.stdin:
            sys.stdout.write(f"{json.dumps(Counter(call.kind for call in double.calls))}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
