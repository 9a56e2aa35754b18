"""What the log says about the clock at every start, and whenever the settings are read again."""

from __future__ import annotations

from datetime import timedelta

_MOST = timedelta(minutes=1)


def clock_notice(lead: timedelta) -> str | None:
    """A line when this machine's clock is that far ahead of the database's server, or behind it; None when it is not.

    Holds last ten minutes at least, and an answer may take half a minute.
    """
    if abs(lead) <= _MOST:
        return None
    minutes = round(abs(lead) / timedelta(minutes=1))
    where = "ahead of" if lead > timedelta() else "behind"
    what = "ends holds of others too early" if lead > timedelta() else "sees its own holds end too early elsewhere"
    return (
        f"The clock of this machine is {minutes} min {where} that of the database's server: a service on it {what}, "
        "and an address could be promised twice. Let all machines keep time (NTP)"
    )
