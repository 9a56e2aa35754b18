"""What a record looks like as a line."""

from __future__ import annotations

import json
import logging
import os
import re

import pytest

from providers.trace import Trace, begin, end
from proxy.logs.lines import JSONLines, TextLines, level_name
from proxy.logs.patterns import FILE_PATTERN, SYSTEM_PATTERN, parse_pattern


@pytest.fixture
def trace():
    trace = Trace("abcdefgh-123", "session-9", "192.0.2.7")
    begin(trace)
    yield trace
    end(trace)


def text(pattern: str = FILE_PATTERN, *, backtraces: bool = False) -> logging.Formatter:
    return TextLines(parse_pattern(pattern), backtraces=backtraces)


class TestText:
    def test_a_line_outside_of_requests(self, record):
        line = text().format(record("started with %d workers", 2))
        assert re.fullmatch(r"2026-01-0[12]T\d\d:\d\d:05  \[I\] started with 2 workers", line)

    def test_the_line_of_a_request_has_its_ids(self, record, trace):
        assert text().format(record("hello")).endswith(" abcdefgh [I] hello session=session-9")

    def test_what_the_pattern_has_no_place_for_comes_last(self, record, trace):
        assert text(SYSTEM_PATTERN).format(record("hello")) == "hello request=abcdefgh-123 session=session-9"

    def test_what_the_pattern_has_a_place_for_comes_once(self, record, trace):
        pattern = "%X{remote_ip} %X{request} %X{session} %m"
        assert text(pattern).format(record("hello")) == "192.0.2.7 abcdefgh-123 session-9 hello"

    def test_a_request_without_a_session(self, record):
        trace = Trace("r-1")
        begin(trace)
        assert text("%m").format(record("hello")) == "hello request=r-1"
        end(trace)

    def test_an_exception_is_one_line_with_what_and_where(self, record, raised):
        line = text("%m").format(record("It failed", level=logging.ERROR, error=raised))
        assert re.fullmatch(r"It failed: RuntimeError: two lines \(conftest.py:\d+\)", line)

    def test_an_exception_that_the_message_tells_is_told_once(self, record, raised):
        from proxy.logs.backtrace import summary

        line = text("%m").format(record("It failed: %s", summary(raised), error=raised))
        assert line.count("RuntimeError") == 1

    def test_its_backtrace_is_part_of_the_line_where_it_is_wanted(self, record, raised):
        line = text("%m", backtraces=True).format(record("It failed", error=raised))
        assert re.search(r"\) < proxy/logs/conftest.py:\d+:in raised < caused by KeyError: 'the cause' < ", line)
        assert len(line.splitlines()) == 1

    def test_a_mistake_in_the_call_loses_no_line(self, record):
        assert "took %d of %d (/x/test.py:7" in text("%m").format(record("took %d of %d", "one"))

    def test_nothing_from_outside_begins_a_line(self, record):
        line = text("%m").format(record("path %s", "/x\n2026-01-02T03:04:05 abcdefgh [I] forged"))
        assert len(line.splitlines()) == 1


class TestJSON:
    def test_an_object_with_all_that_is_known(self, record, trace):
        line = json.loads(JSONLines(backtraces=False).format(record("größer", level=logging.WARNING)))
        time = line.pop("timestamp")
        assert re.fullmatch(r"2026-01-0[12]T\d\d:\d\d:05\.500[+-]\d\d:\d\d", time)
        assert line == {
            "level": "WARN",
            "logger": "proxy.test",
            "process": os.getpid(),
            "message": "größer",
            "request_id": "abcdefgh-123",
            "session_id": "session-9",
            "remote_ip": "192.0.2.7",
        }

    def test_what_is_not_known_is_absent(self, record):
        assert not {"request_id", "session_id", "remote_ip"} & set(
            json.loads(JSONLines(backtraces=True).format(record("hello")))
        )

    def test_nothing_from_outside_begins_a_line_or_a_field(self, record):
        line = JSONLines(backtraces=False).format(record("%s", 'a","level":"FATAL"}\n{"message":"forged'))
        assert len(line.splitlines()) == 1
        assert json.loads(line)["level"] == "INFO"

    def test_a_backtrace_is_a_list_where_it_is_wanted(self, record, raised):
        failed = record("It failed", error=raised)
        assert "backtrace" not in json.loads(JSONLines(backtraces=False).format(failed))
        frames = json.loads(JSONLines(backtraces=True).format(failed))["backtrace"]
        assert frames[0] == "RuntimeError: two lines"
        assert all(frame.isprintable() for frame in frames)


@pytest.mark.parametrize(
    ("level", "name"),
    [(0, "DEBUG"), (10, "DEBUG"), (20, "INFO"), (25, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "FATAL")],
)
def test_levels_have_the_names_of_the_ruby_proxy(level, name):
    assert level_name(level) == name
