"""What the log says about the clock at every start, and whenever the settings are read again."""

from __future__ import annotations

from datetime import timedelta

_MOST = timedelta(minutes=1)


def clock_notice(lead: timedelta) -> str | None:
    """A line when this machine's clock is that far ahead of or behind that of the database's server, else None."""
    if abs(lead) <= _MOST:
        return None
    minutes = round(abs(lead) / timedelta(minutes=1))
    where = "ahead of" if lead > timedelta() else "behind"
    return (
        f"The clock of this machine is {minutes} min {where} that of the database's server. Holds and events go by the "
        "server's, this log and the DHCP server's leases by this machine's: let all machines keep time (NTP)"
    )
