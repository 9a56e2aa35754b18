"""Signals that reach a worker before gunicorn's own handlers are there."""

from __future__ import annotations

import os
import queue
import signal
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from proxy.forking import heed_signals
from proxy.server import Server
from proxy.settings import load

_ALL = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Those of the tests are there again afterwards."""
    before = [signal.getsignal(each) for each in _ALL]
    yield
    for each, handler in zip(_ALL, before, strict=True):
        signal.signal(each, handler)


def forked(*queued: signal.Signals) -> SimpleNamespace:
    """A worker with the hook behind it; ``queued`` came while it had the master's handlers."""
    arbiter, worker = SimpleNamespace(SIG_QUEUE=queue.SimpleQueue()), SimpleNamespace(alive=True)
    for each in queued:
        arbiter.SIG_QUEUE.put(each)
    heed_signals(arbiter, worker)
    return worker


@pytest.mark.parametrize("told", _ALL)
def test_one_that_was_told_to_stop_before_stops(told):
    assert not forked(signal.SIGHUP, told).alive


@pytest.mark.parametrize("told", _ALL)
def test_one_that_is_told_to_stop_now_stops(told):
    worker = forked()
    os.kill(os.getpid(), told)
    assert not worker.alive


def test_others_leave_it_alone():
    assert forked(signal.SIGHUP, signal.SIGUSR1).alive


def test_every_worker_does_it():
    settings = load(environ={})
    assert Server(settings, lambda: settings, None).cfg.post_fork is heed_signals
