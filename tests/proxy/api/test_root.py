import pytest

from proxy import __version__
from proxy.app import create_app


def test_running_modules_by_name(client):
    assert client.get("/features").json == ["dhcp", "externalipam", "logs"]


@pytest.mark.parametrize("off", ["dhcp", "externalipam", "logs"])
def test_a_module_that_is_not_enabled_is_not_there(started, off):
    left = [name for name in ("dhcp", "externalipam", "logs") if name != off]
    client = started(**{off: {"enabled": False}}).test_client()
    assert client.get("/features").json == left
    assert list(client.get("/version").json["modules"]) == left
    assert client.get("/v2/features").json[off]["state"] == "disabled"


@pytest.mark.parametrize(("off", "path"), [("dhcp", "/dhcp"), ("externalipam", "/ipam/groups"), ("logs", "/logs")])
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
            "http_enabled": True,
            "https_enabled": True,
            "settings": {},
            "state": "running",
            "capabilities": [],
        },
    }


def test_our_own_version(client):
    assert client.get("/version").json["version"] == __version__


def test_the_version_that_foreman_is_to_see(started):
    answer = started(reported_version="3.13.0-develop").test_client().get("/version")
    modules = {"dhcp": "3.13.0", "externalipam": "3.13.0", "logs": "3.13.0"}
    assert answer.json == {"version": "3.13.0-develop", "modules": modules}


def test_a_module_that_could_not_start(address_book, configured):
    failed = {"externalipam": "The IPAM does not answer"}
    client = create_app(address_book, configured(), failed_modules=failed).test_client()
    assert client.get("/features").json == ["dhcp", "logs"]
    assert list(client.get("/version").json["modules"]) == ["dhcp", "logs"]
    assert client.get("/v2/features").json["externalipam"]["state"] == "failed"
    assert client.get("/ipam/groups").status_code == 404
    assert client.get("/logs").json["info"]["failed_modules"] == failed
