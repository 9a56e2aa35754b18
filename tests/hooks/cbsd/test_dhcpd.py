"""The DHCP helper, called as CBSD calls it (guest-hooks, section 1), against a real service."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.hooks.answering import never_answering, nobody_listening
from tests.hooks.cbsd.node import SHELLS, in_shell


def given(done) -> str:
    """The address that was printed; there is nothing but that."""
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == done.stdout.strip() + "\n"
    return done.stdout.strip()


@pytest.mark.parametrize("shell", [in_shell(each) for each in SHELLS])
def test_one_bare_address_that_is_held_for_this_node_for_a_day(node, known, shell):
    address = given(node.ask(shell=shell))
    (hold,) = known.get("/holds", ip=address)["items"]
    assert hold["key"].startswith("key:east/sun#dhcpd-")
    assert datetime.fromisoformat(hold["expires_at"]) > datetime.now(UTC) + timedelta(hours=23)


def test_every_call_takes_another_address(node):
    assert len({given(node.ask()) for _ in range(4)}) == 4


@pytest.mark.parametrize("shell", [in_shell(each) for each in SHELLS])
def test_a_pool_whose_words_were_broken_at_blanks(node, known, shell):
    place = 10 + 10 * SHELLS.index(shell)
    words = f"ip4pool='10.0.2.{place} 10.0.2.{place + 5} 10.0.2.{place + 7}-{place + 8}' lease_time='60'"
    taken = [given(node.ask(words, shell=shell)) for _ in range(4)]
    assert taken == [f"10.0.2.{place + each}" for each in (0, 5, 7, 8)]
    full = node.ask(words, shell=shell)
    assert (full.returncode, full.stdout) == (2, "")
    assert "no address is free" in node.logged()


def test_a_lease_longer_than_a_day_lengthens_the_hold(node, known):
    address = given(node.ask("lease_time='864000'"))
    (hold,) = known.get("/holds", ip=address)["items"]
    assert datetime.fromisoformat(hold["expires_at"]) > datetime.now(UTC) + timedelta(days=9)


def test_a_lease_without_end_is_one_of_a_year(node, known):
    address = given(node.ask("lease_time='4294967295'"))
    (hold,) = known.get("/holds", ip=address)["items"]
    assert datetime.fromisoformat(hold["expires_at"]) < datetime.now(UTC) + timedelta(days=366)


def test_words_that_nobody_knows_count_for_nothing(node):
    assert given(node.ask("lock='/var/run/x' pass='a b' dhcpd_helper='/x' ip4pool='10.0.2.60'")) == "10.0.2.60"


def test_ipv6_is_for_the_other_program(make_node):
    node = make_node(subnets=["10.0.1.0/24", "2001:db8:1::/64"])
    assert given(node.ask(app="dhcpdv6")).startswith("2001:db8:1::")
    assert given(node.ask("ip6pool='2001:db8:1::40-4f'", app="dhcpdv6")) == "2001:db8:1::40"


def test_a_pool_may_begin_with_the_address_of_the_network(node):
    assert given(node.ask("ip4pool='10.0.8.0 10.0.8.2 10.0.8.1'")) in ("10.0.8.2", "10.0.8.1")


def test_a_pool_larger_than_the_subnets_takes_what_is_in_it(node):
    assert given(node.ask("ip4pool='10.0.2.100-10.0.3.9'")) == "10.0.2.100"
    assert given(node.ask("ip4pool='10.0.0.0/16'")).startswith("10.0.")


def test_full_is_two_whatever_the_settings_say(make_node):
    node = make_node(subnets=["10.0.4.0/30"], fail_closed=False)
    done = node.ask()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "leasehold-hook cbsd-dhcpd: no address is free in what was asked for\n"


def test_the_next_subnet_of_the_settings_is_taken_when_the_first_is_full(make_node):
    assert given(make_node(subnets=["10.0.4.0/30", "10.0.2.0/24"]).ask()).startswith("10.0.2.")


@pytest.mark.parametrize(("closed", "status"), [(True, 2), (False, 1)])
@pytest.mark.parametrize(
    ("words", "subnets", "told"),
    [
        ("ip4pool='10.0.1.300'", ["10.0.1.0/24"], "10.0.1.300"),
        ("ip4pool='192.0.2.7'", ["10.0.1.0/24"], "192.0.2.7"),
        ("", ["192.0.2.0/24"], "192.0.2.0/24"),
        ("", [], "subnets"),
    ],
)
def test_a_failure_prints_nothing_and_is_two_unless_the_site_wants_one(make_node, closed, status, words, subnets, told):
    node = make_node(subnets=subnets, fail_closed=closed)
    done = node.ask(words)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (status, "", 1)
    # CBSD says of every failure that no address is free, and some of its commands throw this away.
    assert told in done.stderr
    assert told in node.logged()


@pytest.mark.parametrize(("closed", "status"), [(True, 2), (False, 1)])
def test_without_a_service_no_address_is_invented(make_node, closed, status):
    with nobody_listening() as url:
        node = make_node(url=url, fail_closed=closed)
        done = node.ask()
    assert (done.returncode, done.stdout) == (status, "")
    assert url in done.stderr
    assert url in node.logged()


def test_a_service_that_hangs_is_not_waited_for_longer_than_the_settings_say(make_node):
    with never_answering() as url:
        node = make_node(url=url, timeout=0.7)
        began = time.monotonic()
        done = node.ask("ip4pool='10.0.1.3 10.0.1.9 10.0.1.11'")
    assert (done.returncode, done.stdout) == (2, "")
    assert time.monotonic() - began < 10


def test_the_second_url_is_asked_when_nobody_is_at_the_first(make_node, known):
    with nobody_listening() as url:
        assert given(make_node(urls=[url, known.url]).ask()).startswith("10.0.1.")


def test_settings_that_cannot_be_read_are_two(make_node):
    node = make_node()
    node.settings.write_text("nonsense = [\n")
    done = node.ask()
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("ending", ["<&-", "2>&-", "<&- 2>&-", "2>/dev/null"])
def test_closed_input_and_errors_change_nothing(node, ending):
    assert given(node.ask(ending=ending)).startswith("10.0.1.")


@pytest.mark.parametrize("ending", [">&-", ">/dev/full"])
def test_an_address_that_nobody_can_read_is_a_failure(node, ending):
    assert node.ask(ending=ending).returncode == 2
    assert "could not be told" in node.logged()


def test_cleanup_ends_what_helpers_hold_and_prints_nothing(node, known):
    one, two = given(node.ask()), given(node.ask())
    done = node.ask(f"cleanup='{one} {two}'")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (known.held(one), known.held(two)) == (None, None)


def test_cleanup_leaves_what_is_reserved_or_held_by_others(make_node, known):
    other = make_node("mars", cluster="west")
    address, pending = given(other.ask()), known.hold("10.0.2.0/24", "east/web9/0")
    done = make_node().ask(f"cleanup='{address} {pending} 10.0.4.1 10.0.1.99 nonsense' ip4pool='nonsense'")
    assert (done.returncode, done.stdout) == (0, "")
    assert known.held(address) is not None
    assert known.held(pending) == "key:east/web9/0"
    assert known.uses("10.0.4.1") != []


def test_cleanup_without_a_service_is_one(make_node):
    with nobody_listening() as url:
        done = make_node(url=url).ask("cleanup='10.0.1.3'")
    assert (done.returncode, done.stdout) == (1, "")


def test_a_token_of_the_node_suffices_and_is_told_nowhere(make_node, known):
    made = known.service.command("token", "create", "sun", "--scope", "guest", "--node", "sun", "--cluster", "east")
    token = next(word for word in made.stdout.split() if word.startswith("lh_"))
    node = make_node(token=token)
    assert given(node.ask()).startswith("10.0.1.")
    node.settings.write_text(node.settings.read_text().replace(token, "lh_wrong-one"))
    assert node.ask().returncode == 2
    assert "lh_" not in node.logged()
