import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from proxy.paths import Paths


def seen(path, **changes):
    """The path that the application behind the layer sees."""
    paths = []

    def application(environ, start_response):
        paths.append(environ["PATH_INFO"])
        start_response("204 No Content", [])
        return [b""]

    environ = {**EnvironBuilder(path=path).get_environ(), **changes}
    run_wsgi_app(Paths(application), environ)
    return paths[0]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/features", "/features"),
        ("/ipam//groups", "/ipam/groups"),
        ("/dhcp//", "/dhcp/"),
        ("/features//", "/features/"),
        ("/ipam/subnet/10.0.1.0%2F24", "/ipam/subnet/10.0.1.0/24"),
        ("/dhcp/a%20b", "/dhcp/a b"),
    ],
)
def test_doubled_slashes_become_one(path, expected):
    assert seen(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/ipam/groups/Lab+two",
        "/ipam/groups/R%26D+%2F+B%C3%BCro+%231+100%25/subnets",
        "/ipam/groups/a%252Fb",
        "/ipam/groups/%3F",
    ],
)
def test_group_names_stay_encoded(path):
    assert seen(path) == path


def test_two_slashes_at_the_start():
    assert seen("/", PATH_INFO="//features", RAW_URI="//features") == "/features"


def test_a_query_is_no_part_of_a_group_name():
    assert seen("/ipam/groups/CBSD?x=/y") == "/ipam/groups/CBSD"


def test_doubled_slashes_before_a_group_name():
    assert seen("/ipam//groups/a%2Fb") == "/ipam/groups/a%2Fb"


def test_the_absolute_form_of_a_target():
    assert seen("/ipam/groups/a%2Fb", RAW_URI="http://proxy:8000/ipam/groups/a%2Fb") == "/ipam/groups/a%2Fb"


def test_below_a_prefix_of_a_reverse_proxy():
    changes = {"SCRIPT_NAME": "/proxy", "PATH_INFO": "/ipam/groups/a/b", "RAW_URI": "/proxy/ipam/groups/a%2Fb"}
    assert seen("/", **changes) == "/ipam/groups/a%2Fb"


def test_a_server_that_does_not_tell_the_raw_path():
    assert seen("/ipam/groups/100%25", RAW_URI="", REQUEST_URI="") == "/ipam/groups/100%25"


def test_an_encoded_prefix_is_encoded_again():
    assert seen("/%69pam/groups/Lab%20two") == "/ipam/groups/Lab%20two"
