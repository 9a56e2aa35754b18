import pytest

from proxy import __version__


def test_running_modules_by_name(client):
    assert client.get("/features").json == ["dhcp", "externalipam"]


@pytest.mark.parametrize(("off", "left"), [("dhcp", ["externalipam"]), ("externalipam", ["dhcp"])])
def test_a_module_that_is_not_enabled_is_not_there(started, off, left):
    client = started(**{off: {"enabled": False}}).test_client()
    assert client.get("/features").json == left
    assert list(client.get("/version").json["modules"]) == left
    assert client.get("/v2/features").json[off]["state"] == "disabled"


@pytest.mark.parametrize(("off", "path"), [("dhcp", "/dhcp"), ("externalipam", "/ipam/groups")])
def test_a_module_that_is_not_enabled_has_no_paths(started, off, path):
    answer = started(**{off: {"enabled": False}}).test_client().get(path)
    assert (answer.status_code, answer.text) == (404, "Requested url was not found")


def test_all_that_foreman_reads_of_a_module(client):
    assert client.get("/v2/features").json == {
        "dhcp": {
            "http_enabled": True,
            "https_enabled": True,
            "settings": {"use_provider": "dhcp_none"},
            "state": "running",
            "capabilities": ["dhcp_filename_hostname", "dhcp_filename_ipv4"],
        },
        "externalipam": {
            "http_enabled": True,
            "https_enabled": True,
            "settings": {"use_provider": "externalipam_local"},
            "state": "running",
            "capabilities": [],
        },
        "logs": {
            "http_enabled": False,
            "https_enabled": False,
            "settings": {},
            "state": "disabled",
            "capabilities": [],
        },
    }


def test_our_own_version(client):
    assert client.get("/version").json["version"] == __version__


def test_the_version_that_foreman_is_to_see(started):
    answer = started(reported_version="3.13.0-develop").test_client().get("/version")
    assert answer.json == {"version": "3.13.0-develop", "modules": {"dhcp": "3.13.0", "externalipam": "3.13.0"}}
