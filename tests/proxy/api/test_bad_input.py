"""Bad input of every kind on every endpoint: never a 5xx, and the book stays as it was."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest

from tests.proxy.api.seeds import seed_dhcp

MAC = "52:54:00:cc:00:01"
GOOD = {
    "network": "192.168.10.0",
    "ip": "192.168.10.20",
    "mac": MAC,
    "group": "Lab",
    "address": "192.168.10.0",
    "prefix": "24",
    "free": "192.168.10.77",
}
NEW_HOST = {"name": "n1.example.com", "mac": "52:54:00:00:00:99", "ip": "192.168.10.77"}
FORM = "application/x-www-form-urlencoded"

ENDPOINTS = [
    ("GET", "/features"),
    ("GET", "/v2/features"),
    ("GET", "/version"),
    ("GET", "/dhcp"),
    ("GET", "/dhcp/{network}"),
    ("GET", "/dhcp/{network}/unused_ip"),
    ("GET", "/dhcp/{network}/ip/{ip}"),
    ("GET", "/dhcp/{network}/mac/{mac}"),
    ("POST", "/dhcp/{network}"),
    ("DELETE", "/dhcp/{network}/ip/{ip}"),
    ("DELETE", "/dhcp/{network}/mac/{mac}"),
    ("POST", "/dhcp/{network}/ip/{ip}"),
    ("POST", "/dhcp/{network}/mac/{mac}"),
    ("GET", "/ipam/groups"),
    ("GET", "/ipam/groups/{group}"),
    ("GET", "/ipam/groups/{group}/subnets"),
    ("GET", "/ipam/subnet/{address}/{prefix}"),
    ("GET", "/ipam/subnet/{address}/{prefix}/next_ip"),
    ("GET", "/ipam/subnet/{address}/{prefix}/{free}"),
    ("POST", "/ipam/subnet/{address}/{prefix}/{free}"),
    ("DELETE", "/ipam/subnet/{address}/{prefix}/{free}"),
]

SEGMENTS = [
    "",
    "foo",
    "null",
    "-1",
    "0x7f.1",
    "[]",
    "%20",
    "%00",
    "%0A",
    "%0d%0aX-Injected:%20yes",
    "%ff%fe",
    "%C3",
    "%zz",
    "%",
    "%F0%9F%92%A9",
    "%E2%80%AE",
    "..",
    "..%2f..%2fetc",
    "%3Cscript%3E",
    "';DROP TABLE groups;--",
    "x" * 5000,
    "9" * 5000,
    "1.2.3",
    "256.1.1.1",
    "10.9.9.9",
    "192.168.10.0.",
    quote("\N{FULLWIDTH DIGIT ONE}92.168.10.0"),
    quote("\N{ARABIC-INDIC DIGIT TWO}\N{ARABIC-INDIC DIGIT FOUR}"),
    "2001:db8::1",
    "fe80::1%25eth0",
    "::ffff:192.168.10.5",
    "52-54-00-cc-00-01",
    "52:54:00:cc:00",
    "zz:54:00:cc:00:01",
    ":".join(["52"] * 8),
    ":" * 5000,
]

UNREADABLE = [
    "mac=%zz",
    "mac=%ff",
    "mac[x]=1",
    "mac[]=" + MAC,
    "mac=1&mac[]=2",
    "group[]=Lab",
    "group[x]=Lab",
    "from[]=192.168.10.5",
    "&".join("x=1" for _ in range(1000)),
    "x=" + "y" * 100_000,
]
QUERIES = {
    "/dhcp/{network}/unused_ip": [
        *(query for query in UNREADABLE if "group" not in query),
        "mac=",
        "mac=zz",
        f"mac={MAC}&mac=zz",
        "mac=%00",
        "mac=" + "a" * 5000,
        "mac=" + quote("\N{FULLWIDTH DIGIT FIVE}2:54:00:cc:00:01"),
        "from=foo",
        "to=foo",
        "from=&to=",
        "from=%00",
        "from=192.168.10.60&to=192.168.10.50",
        "from=192.168.11.1&to=192.168.11.9",
        "from=192.168.10.50&to=192.168.11.9",
        "from=192.168.11.1",
        "to=192.168.9.1",
        "to=0.0.0.0",
        "from=2001:db8::1",
        "from=192.168.10.255&to=192.168.10.255",
        "from=192.168.10.1&to=192.168.10.1",
    ],
    "/ipam/subnet/{address}/{prefix}/next_ip": [
        *(query for query in UNREADABLE if "from" not in query),
        "mac=zz",
        "mac=52:54:0:c:0:1",
        "mac=52-54-00-0c-00-01",
        "mac=%00",
        "mac=" + ":".join(["52"] * 20),
        "group=nope",
        "group=%00",
        "group=%0A",
        "group=" + "x" * 5000,
        "group=" + quote("Büro 💩"),
        "group=99999999999999999999",
    ],
    "/ipam/subnet/{address}/{prefix}/{free}": [
        *(query for query in UNREADABLE if "mac" not in query and "from" not in query),
        "group=nope",
        "group=%00",
        "group=" + "x" * 5000,
        "group=-1",
    ],
}

FIELDS = [
    {"mac": ""},
    {"mac": "zz"},
    {"mac": "52-54-00-00-00-99"},
    {"mac": "52:54:00:00:00:99\n"},
    {"mac": "a" * 5000},
    {"mac": None},
    {"ip": ""},
    {"ip": "foo"},
    {"ip": "192.168.10.77\n"},
    {"ip": "192.168.10.077"},
    {"ip": "2001:db8::5"},
    {"ip": "10.9.9.9"},
    {"ip": "192.168.10.0"},
    {"ip": "192.168.10.1"},
    {"ip": "192.168.10.255"},
    {"ip": "192.168.10.20"},
    {"ip": "4294967295"},
    {"ip": None},
    {"name": ""},
    {"name": "x" * 5000},
    {"name": "a\x00b"},
    {"name": 'a"; omapi-port 1;'},
    {"name": "dyn1.example.com"},
    {"hostname": "a\r\nb"},
    {"hostname": "a\\b"},
    {"filename": 'a"b'},
    {"filename": "a\nset hardware-address = 1"},
    {"filename": "x" * 5000},
    {"nextServer": "a b"},
    {"nextServer": "2001:db8::5"},
    {"nextServer": "x" * 5000},
    {"related_macs[]": "zz"},
    {"related_macs[x]": MAC},
    {"<Sun>root_path_name": "a\nb"},
    {"ztp_vendor": 'a"b'},
    {"ztp_firmware[core]": "a\nb"},
    {"ztp_firmware": "x"},
    {"_method": "DELETE"},
    {"_method": "x" * 5000},
    {"_method[]": "DELETE"},
]

EDGE = "multipart/form-data; boundary=edge"
BODIES = [
    (FORM, b""),
    (FORM, b"&&&&"),
    (FORM, b"%zz=1"),
    (FORM, b"name=%"),
    (FORM, b"name=\xff\xfe"),
    (FORM, b"\x00\x01\x02"),
    (FORM, b"name=a&name[b]=c"),
    (FORM, b"mac=" + MAC.encode() + b"&mac[]=1"),
    (FORM, b"&".join([b"name=a"] * 5000)),
    (FORM, b'{"name":"n1","ip":"192.168.10.77","mac":"52:54:00:00:00:99"}'),
    (FORM, b"x" * 70_000),
    ("application/json", b'{"name":"n1","ip":"192.168.10.77","mac":"52:54:00:00:00:99"}'),
    ("application/json", b"{"),
    ("text/plain", b"name=n1&ip=192.168.10.77&mac=52:54:00:00:00:99"),
    ("application/xml", b"<name>n1</name>"),
    ("nonsense", b"name=n1&ip=192.168.10.77&mac=52:54:00:00:00:99"),
    (FORM + "; charset=nonsense", b"name=n1"),
    (EDGE, b"--edge\r\nnonsense"),
    (EDGE, b'--edge\r\nContent-Disposition: form-data; name="mac"\r\n\r\n' + MAC.encode()),
    (EDGE, b'--edge\r\nContent-Disposition: form-data; name="mac"\r\n\r\n\xff\r\n--edge--\r\n'),
    (EDGE, b'--edge\r\nContent-Disposition: form-data; name="mac"; filename="m"\r\n\r\nx\r\n--edge--\r\n'),
    (EDGE, b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' * 1000 + b"--edge--\r\n"),
    ("multipart/form-data", b"--edge--"),
    ("multipart/form-data; boundary=" + "e" * 500, b"x" * 60_000),
]


@pytest.fixture
def refused(client, address_book, server, dump):
    """Sends a request; says what was wrong with the answer, or with the book afterwards."""
    server.written = seed_dhcp(address_book)
    before, published = dump(), list(server.published)

    def refused(method, path, *, no_success=False, **request):
        answer = client.open(
            "/",
            method=method,
            environ_overrides={"PATH_INFO": unquote(path, encoding="latin-1"), "RAW_URI": path, "REQUEST_URI": path},
            **request,
        )
        what = f"{method} {path[:100]} {str(request)[:200]}: {answer.status_code} {answer.text[:200]!r}"
        if answer.status_code >= 500 or (no_success and answer.status_code < 400):
            return [what]
        if "X-Injected" in answer.headers or any(not char.isprintable() for char in answer.text):
            return [f"{what}: unprintable"]
        if len(answer.text) > 2000 and answer.status_code >= 400:
            return [f"{what}: a long error"]
        return [] if (dump(), server.published) == (before, published) else [f"{what}: the book changed"]

    return refused


SEGMENT_CASES = [
    (method, template, name) for method, template in ENDPOINTS for name in GOOD if f"{{{name}}}" in template
]


@pytest.mark.parametrize(("method", "template", "name"), SEGMENT_CASES)
def test_a_segment_that_cannot_be_read_is_refused_and_changes_nothing(refused, method, template, name):
    problems = []
    for segment in SEGMENTS:
        request = {"data": NEW_HOST} if method == "POST" else {}
        problems += refused(method, template.format(**GOOD | {name: segment}), **request)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("method", "template"), [(method, template) for method, template in ENDPOINTS if template in QUERIES]
)
def test_a_query_that_cannot_be_read_is_refused_and_changes_nothing(refused, method, template):
    problems = []
    for query in QUERIES[template]:
        # A 200 that says that nothing is left is an answer to a good question about a range without free addresses.
        refusal = query != "from=192.168.10.1&to=192.168.10.1"
        problems += refused(method, template.format(**GOOD), query_string=query, no_success=refusal)
    assert not problems, "\n".join(problems)


def test_a_query_that_nobody_reads_does_no_harm(refused):
    problems = []
    for method, template in ENDPOINTS:
        if template not in QUERIES and method == "GET":
            for query in UNREADABLE:
                problems += refused(method, template.format(**GOOD), query_string=query)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("fields", FIELDS, ids=lambda fields: repr(fields)[:60])
def test_fields_of_a_reservation(refused, fields):
    form = {name: value for name, value in {**NEW_HOST, **fields}.items() if value is not None}
    assert not refused("POST", "/dhcp/192.168.10.0", data=form, no_success=True)


@pytest.mark.parametrize("fields", FIELDS, ids=lambda fields: repr(fields)[:60])
def test_fields_of_a_reservation_in_the_query(refused, fields):
    form = {name: value for name, value in {**NEW_HOST, **fields}.items() if value is not None}
    assert not refused("POST", "/dhcp/192.168.10.0", query_string=form, no_success=True)


@pytest.mark.parametrize("template", [template for method, template in ENDPOINTS if method == "POST"])
def test_a_body_that_cannot_be_read_is_refused_and_changes_nothing(refused, template):
    problems = []
    for content_type, body in BODIES:
        if template.startswith("/dhcp"):
            problems += refused("POST", template.format(**GOOD), data=body, content_type=content_type, no_success=True)
        else:  # /ipam reads no body: only a path that is refused shows that a body changes nothing
            taken = template.format(**GOOD | {"free": "192.168.10.255"})
            problems += refused("POST", taken, data=body, content_type=content_type, no_success=True)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "X" * 50])
def test_a_method_that_there_is_not_changes_nothing(refused, method):
    problems = []
    for path in sorted({template.format(**GOOD) for _, template in ENDPOINTS}):
        problems += refused(method, path, data=b"a=b", content_type=FORM, no_success=True)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("value", ["", "x" * 5000, "PUT", "delete ", "GET\tx", "\xff"])
def test_method_override(refused, value):
    header = {"X-HTTP-Method-Override": value}
    problems = refused("POST", "/dhcp/192.168.10.0/ip/192.168.10.20", headers=header, no_success=True)
    problems += refused("POST", f"/dhcp/192.168.10.0/mac/{MAC}", headers=header, no_success=True)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", ["X-Request-Id", "Accept", "Content-Type", "Host", "X-Forwarded-For", "Range"])
@pytest.mark.parametrize("value", ["", "x" * 5000, "\xff\xfe", '";{}'])
def test_odd_headers_do_no_harm(refused, name, value):
    problems = []
    for path in ("/features", "/dhcp/192.168.10.0", "/dhcp/192.168.10.0/ip/foo", "/ipam/groups", "/nope"):
        problems += refused("GET", path, headers={name: value})
    assert not problems, "\n".join(problems)
