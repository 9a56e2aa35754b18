"""Starting the log as the settings say."""

from __future__ import annotations

import json
import logging
import re
import socket

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from providers.errors import Misconfigured
from providers.trace import Trace, begin, end
from proxy.logs import destinations
from proxy.logs.configuration import for_gunicorn
from proxy.logs.destinations import Destination, SystemLog, current_ring

log = logging.getLogger("proxy.somewhere")


@pytest.fixture
def system_log(tmp_path, monkeypatch):
    """A socket such as the system log has."""
    path = str(tmp_path / "log")
    monkeypatch.setattr(SystemLog.__init__, "__defaults__", ((path,),))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(60)
        yield listener


def handlers() -> list[logging.Handler]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, Destination)]


def remembered() -> list[dict[str, object]]:
    ring = current_ring()
    assert ring is not None
    return [json.loads(kept.body) for kept in ring.records()]


def test_the_standard_output(started, capsys):
    started()
    log.info("hello")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d  \[I\] hello\n", capsys.readouterr().out)


def test_a_file(started, tmp_path, capsys):
    started(log_file="leasehold.log", file_logging_pattern="%l %m")
    log.warning("hello")
    assert (tmp_path / "leasehold.log").read_text() == "WARN hello\n"
    assert capsys.readouterr().out == ""


def test_a_file_that_rolls_over(started, tmp_path):
    started(log_file="leasehold.log", file_rolling_size=1, file_rolling_keep=2)
    (tmp_path / "leasehold.log").write_text("x" * (1024 * 1024 - 10))
    log.info("hello")
    assert (tmp_path / "leasehold.log.1").stat().st_size == 1024 * 1024 - 10


@pytest.mark.parametrize("keys", [{}, {"file_rolling_age": "1"}])
def test_without_a_size_nothing_rolls_over(started, tmp_path, keys):
    started(log_file="leasehold.log", **keys)
    (tmp_path / "leasehold.log").write_text("x" * 1024 * 1024)
    log.info("hello")
    assert not (tmp_path / "leasehold.log.1").exists()


def test_json_lines_go_to_the_standard_output(started, capsys):
    started(log_format="json")
    log.info("hello")
    log.error("again")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [("INFO", "hello"), ("ERROR", "again")]


def test_the_system_log(started, system_log):
    started(log_file="SYSLOG")
    log.warning("hello")
    local5, warning = 21, 4
    assert re.fullmatch(
        rb"<%d>leasehold\[\d+\]: hello\0" % (local5 * 8 + warning),
        system_log.recv(4096),
    )


def test_the_system_log_gets_the_ids_of_the_request(started, system_log):
    started(log_file="SYSLOG")
    trace = Trace("r-1", "s-1")
    begin(trace)
    log.info("hello")
    end(trace)
    assert system_log.recv(4096).endswith(b": hello request=r-1 session=s-1\0")


def test_a_system_log_that_was_restarted(started, system_log, tmp_path):
    started(log_file="SYSLOG")
    system_log.close()
    (tmp_path / "log").unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as again:
        again.bind(str(tmp_path / "log"))
        again.settimeout(60)
        log.info("hello")
        assert b"hello" in again.recv(4096)


def test_a_system_log_that_is_gone_is_told_once(started, system_log, tmp_path, capsys):
    started(log_file="SYSLOG")
    system_log.close()
    (tmp_path / "log").unlink()
    log.info("one")
    log.info("two")
    (complaint,) = capsys.readouterr().err.splitlines()
    assert complaint.startswith("Log lines are lost: ")


@pytest.mark.parametrize(
    ("log_file", "reason"),
    [
        ("missing/leasehold.log", "missing/leasehold.log cannot be written: No such file or directory"),
        (".", "cannot be written: Is a directory"),
        ("SYSLOG", "SYSLOG cannot be written: there is no system log: no socket /dev/log"),
    ],
)
def test_a_place_where_nothing_can_be_written_stops_the_start(started, monkeypatch, log_file, reason):
    monkeypatch.setattr(SystemLog.__init__, "__defaults__", (("/nonexistent",),))
    with pytest.raises(Misconfigured) as refusal:
        started(log_file=log_file)
    assert str(refusal.value).startswith(":log_file: ")
    assert str(refusal.value).endswith(reason)


def test_the_level(started, capsys):
    started(log_level="WARN")
    log.info("not this")
    log.warning("this")
    assert "not this" not in capsys.readouterr().out
    assert [line["message"] for line in remembered()] == ["this"]


def test_a_backtrace_is_in_the_line_with_debug_only_and_always_in_the_ring(started, capsys, raised):
    for level, frames in (("INFO", 0), ("DEBUG", 2)):
        started(log_level=level)
        log.error("It failed", exc_info=raised)
        (line,) = capsys.readouterr().out.splitlines()
        assert line.count("conftest.py") == 1 + frames
        assert "RuntimeError: two lines" in line
    for kept in remembered():
        assert re.match(r"RuntimeError: two lines\n.*conftest.py:\d+:in raised\ncaused by ", str(kept["backtrace"]))


def test_the_ring_has_the_sizes_of_the_settings(started):
    started(log_buffer=3, log_buffer_errors=1)
    log.error("old")
    for number in range(3):
        log.info("%d", number)
    assert [line["message"] for line in remembered()] == ["old", "0", "1", "2"]


def test_the_ring_keeps_the_request(started):
    started()
    trace = Trace("r-1", "s-1")
    begin(trace)
    log.info("hello")
    end(trace)
    (kept,) = remembered()
    assert list(kept) == ["timestamp", "level", "message", "request_id"]
    assert kept["request_id"] == "r-1"


class TestStartedAgain:
    def test_the_ring_stays(self, started):
        started()
        ring = current_ring()
        log.info("before")
        started(log_level="DEBUG")
        assert current_ring() is ring
        assert len(handlers()) == 2

    def test_a_ring_of_another_size_takes_over(self, started):
        started()
        log.info("before")
        started(log_buffer=10)
        assert [line["message"] for line in remembered()] == ["before"]

    def test_lines_go_where_the_new_settings_say_and_nowhere_else(self, started, tmp_path, capsys):
        started()
        started(log_file="leasehold.log")
        log.info("hello")
        assert capsys.readouterr().out == ""
        assert "hello" in (tmp_path / "leasehold.log").read_text()

    def test_what_cannot_be_started_changes_nothing(self, started, capsys):
        started()
        with pytest.raises(Misconfigured):
            started(log_file="missing/leasehold.log")
        log.info("hello")
        assert "hello" in capsys.readouterr().out


@pytest.mark.parametrize("level", ["DEBUG", "WARN", "FATAL"])
def test_gunicorn_writes_where_all_others_do_and_changes_nothing(started, capsys, level):
    settings = started(log_level=level)
    before = logging.getLogger().handlers[:]
    config = Config()
    for key, value in for_gunicorn(settings).items():
        config.set(key, value)
    server = Logger(config)
    assert logging.getLogger().handlers == before
    assert logging.getLogger().level == getattr(logging, {"WARN": "WARNING"}.get(level, level))
    server.critical("hello")
    out, err = capsys.readouterr()
    assert (len(out.splitlines()), err) == (1, "")
    assert len(remembered()) == 1


def test_destinations_has_the_sockets_of_all_systems():
    assert "/dev/log" in destinations._SOCKETS
