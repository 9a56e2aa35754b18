"""dhcpd stopped, hung, restarted, with another key, its files away: errors come in time, and pass by themselves."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from netaddr import IPAddress

from providers.errors import InvalidValue, Unavailable, Unreached
from tests.providers.desk import CALLER, host, mac
from tests.providers.dhcp.isc.dhcpd_server import SECRET

IN_TIME = 30
"""Seconds, for what takes one at most; whoever waits for dhcpd here as long as it hangs never ends."""
ALGORITHMS = ("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")


def in_time(call, *arguments, **named):
    """The text of the Unavailable that a call raises, and raises soon."""
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        call(*arguments, **named)
    assert time.monotonic() - began < IN_TIME
    return str(caught.value)


def served(provider, subnet):
    return {each.mac: str(each.address) for each in provider.served(subnet)}


def test_dhcpd_is_stopped_and_started_again(desk, subnet, dhcpd, provider):
    desk.serve(subnet, "10.77.0.20", 1)
    dhcpd.stop()

    assert "127.0.0.1:7911 cannot be reached: Connection refused" in in_time(desk.serve, subnet, "10.77.0.21", 2)
    assert "cannot be reached" in in_time(desk.release, subnet, "10.77.0.20")
    assert "cannot be reached" in in_time(provider.served, subnet)
    assert "cannot be reached" in in_time(list, desk.address_book.differences())

    dhcpd.start()
    desk.serve(subnet, "10.77.0.21", 2)
    desk.release(subnet, "10.77.0.20")
    assert served(provider, subnet) == {mac(2): "10.77.0.21"}


def test_one_that_is_stopped_was_told_nothing_and_nobody_is_warned(desk, subnet, dhcpd, provider, caplog):
    """Also on a connection of before."""
    desk.serve(subnet, "10.77.0.20", 1)
    dhcpd.stop()

    with pytest.raises(Unreached, match=r"^Nothing was reserved: dhcpd at .* cannot be reached"):
        desk.serve(subnet, "10.77.0.21", 2)

    assert "may differ" not in caplog.text


def test_one_that_stops_while_it_is_told_may_have_done_it(desk, subnet, dhcpd, provider, monkeypatch, caplog):
    create = provider._create

    def and_stop(*arguments):
        create(*arguments)
        dhcpd.stop()

    monkeypatch.setattr(provider, "_create", and_stop)
    monkeypatch.setattr(provider, "_comes_true", lambda *_: False)
    with pytest.raises(Unavailable) as caught:
        desk.serve(subnet, "10.77.0.21", 2)

    assert not isinstance(caught.value, Unreached)
    assert "10.77.0.21: the DHCP server may differ from the book" in caplog.text


def test_one_that_stops_after_the_old_host_was_deleted_was_told_something(desk, subnet, dhcpd, provider, monkeypatch):
    desk.serve(subnet, "10.77.0.20", 1)
    create = provider._create

    def stopped_before(*arguments):
        dhcpd.stop()
        create(*arguments)

    monkeypatch.setattr(provider, "_create", stopped_before)
    with pytest.raises(Unavailable) as caught:
        provider.publish(subnet, replace(host(1), address=IPAddress("10.77.0.21")))

    assert not isinstance(caught.value, Unreached)


def test_a_restart_in_between_is_not_noticed(desk, subnet, dhcpd, provider):
    desk.serve(subnet, "10.77.0.20", 1)
    dhcpd.restart()
    desk.serve(subnet, "10.77.0.21", 2)
    dhcpd.restart()
    desk.release(subnet, "10.77.0.20")

    assert served(provider, subnet) == {mac(2): "10.77.0.21"}
    assert dhcpd.complaints() == []


def test_dhcpd_hangs_and_what_it_does_afterwards_is_healed_by_sync(desk, subnet, dhcpd, provider):
    desk.serve(subnet, "10.77.0.20", 1)
    provider.seconds = 0.3
    dhcpd.hang()
    told = in_time(desk.serve, subnet, "10.77.0.21", 2)
    assert told == "Nothing was reserved: dhcpd at 127.0.0.1:7911 does not answer"
    assert in_time(desk.release, subnet, "10.77.0.20") == "dhcpd at 127.0.0.1:7911 does not answer"
    assert not provider.health().ok
    provider.seconds = 60

    dhcpd.go_on()
    dhcpd.wait_until_it_has("host2")
    assert [each.mac for each in desk.address_book.hosts(subnet)] == [mac(1)]
    assert served(provider, subnet) == {mac(1): "10.77.0.20", mac(2): "10.77.0.21"}

    desk.address_book.sync(CALLER, most_percent=20)
    assert served(provider, subnet) == {mac(1): "10.77.0.20"}
    assert list(desk.address_book.differences()) == []


def test_dhcpd_is_killed_while_it_is_asked(desk, subnet, dhcpd, provider):
    desk.serve(subnet, "10.77.0.20", 1)
    provider.seconds = 60
    dhcpd.hang()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(in_time, desk.serve, subnet, "10.77.0.21", 2)
        deadline = time.monotonic() + 60
        while not provider._omapi._turn.locked() and time.monotonic() < deadline:
            time.sleep(0.01)
        dhcpd.kill()
        assert "cannot be reached" in asking.result(60)

    dhcpd.start()
    assert served(provider, subnet) == {mac(1): "10.77.0.20"}
    desk.serve(subnet, "10.77.0.21", 2)
    assert served(provider, subnet) == {mac(1): "10.77.0.20", mac(2): "10.77.0.21"}
    assert list(desk.address_book.differences()) == []


def test_whoever_repeats_a_request_that_timed_out_is_served(desk, subnet, dhcpd, provider):
    provider.health()
    provider.seconds = 0.3
    dhcpd.hang()
    in_time(desk.serve, subnet, "10.77.0.21", 2)
    dhcpd.go_on()
    provider.seconds = 60

    desk.serve(subnet, "10.77.0.21", 2)

    assert served(provider, subnet) == {mac(2): "10.77.0.21"}


def test_a_thread_that_waits_for_another_does_so_for_its_own_time_only(desk, subnet, provider):
    provider.seconds = 1
    with provider._omapi._own_turn(time.monotonic() + 1):
        assert "dhcpd at 127.0.0.1:7911 does not answer" in in_time(desk.serve, subnet, "10.77.0.20", 1)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"key_secret": "d3Jvbmc="}, "refuses the key omapi_key: compare :key_name:, :key_secret: and :key_algorithm:"),
        ({"key_name": "nobody"}, "refuses the key nobody"),
        ({"key_algorithm": "hmac-sha256"}, "refuses the key omapi_key"),
        ({"key_name": None, "key_secret": None}, "wants a key: set :key_name: and :key_secret:"),
        ({"omapi_port": 7912}, "127.0.0.1:7912 cannot be reached"),
    ],
)
def test_a_wrong_setting_is_told(desk, subnet, dhcpd, book, changes, told):
    mistaken = dhcpd.provider(book, **changes)

    desk.address_book.dhcp = mistaken
    assert told in in_time(desk.serve, subnet, "10.77.0.20", 1)
    health = mistaken.health()
    assert (health.ok, told in health.detail) == (False, True)
    assert SECRET not in health.detail
    mistaken.close()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_hmac_that_dhcpd_knows(desk, subnet, dhcpd, book, algorithm):
    dhcpd.stop()
    dhcpd.configuration.write_text(dhcpd.configuration.read_text().replace("hmac-md5", algorithm))
    dhcpd.start()
    provider = dhcpd.provider(book, key_algorithm=algorithm)
    desk.address_book.dhcp = provider

    desk.serve(subnet, "10.77.0.20", 1)

    assert served(provider, subnet) == {mac(1): "10.77.0.20"}
    provider.close()


def test_without_any_key_where_dhcpd_wants_none(desk, subnet, dhcpd, book):
    dhcpd.stop()
    dhcpd.configuration.write_text(dhcpd.configuration.read_text().replace("omapi-key omapi_key;", ""))
    dhcpd.start()
    provider = dhcpd.provider(book, key_name=None, key_secret=None)
    desk.address_book.dhcp = provider

    desk.serve(subnet, "10.77.0.20", 1)

    assert served(provider, subnet) == {mac(1): "10.77.0.20"}
    provider.close()


def test_options_that_dhcpd_conf_does_not_define_are_refused(desk, subnet, dhcpd, provider):
    dhcpd.stop()
    dhcpd.configuration.write_text(dhcpd.configuration.read_text().replace("option SUNW.root-path-name", "# "))
    dhcpd.start()
    wanted = replace(host(1), options={"root_path_name": "/x"}, address=IPAddress("10.77.0.20"))
    with pytest.raises(InvalidValue, match=r"10\.77\.0\.20: dhcpd\.conf does not define the options of host1"):
        provider.publish(subnet, wanted)

    assert served(provider, subnet) == {}


def test_a_connection_of_a_parent_process_is_left_to_it(desk, subnet, provider):
    desk.serve(subnet, "10.77.0.20", 1)
    of_parent = provider._omapi._omapi
    provider._omapi._process = os.getppid()

    desk.serve(subnet, "10.77.0.21", 2)

    assert provider._omapi._omapi is not of_parent


def test_a_connection_that_was_idle_for_long_is_made_anew(desk, subnet, provider):
    desk.serve(subnet, "10.77.0.20", 1)
    old = provider._omapi._omapi
    desk.serve(subnet, "10.77.0.21", 2)
    assert provider._omapi._omapi is old

    provider._omapi._used -= 31
    desk.serve(subnet, "10.77.0.22", 3)

    assert provider._omapi._omapi is not old


def test_without_its_files_nothing_is_promised(desk, subnet, dhcpd, book):
    blind = dhcpd.provider(book, config=str(dhcpd.configuration) + ".away")
    desk.address_book.dhcp = blind

    assert "dhcpd.conf.away cannot be read: No such file or directory; see :config:" in in_time(desk.ask, subnet, 1)
    assert not blind.health().ok
    blind.close()
    blind = dhcpd.provider(book, leases=str(dhcpd.leases) + ".away")
    desk.address_book.dhcp = blind
    assert "dhcpd.leases.away of dhcpd cannot be read" in in_time(desk.ask, subnet, 1)
    assert not blind.health().ok
