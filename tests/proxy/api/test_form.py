import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from providers.errors import InvalidValue
from proxy.api.form import MOST_FIELDS, all_parameters, query_parameters


def request_with(query="", body=b"", content_type="application/x-www-form-urlencoded"):
    builder = EnvironBuilder(method="POST", query_string=query, data=body, content_type=content_type)
    return Request(builder.get_environ())


def query(text):
    return query_parameters(request_with(query=text))


def form(body, content_type="application/x-www-form-urlencoded"):
    return all_parameters(request_with(body=body, content_type=content_type))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("&&", {}),
        ("a=1", {"a": "1"}),
        ("a=1=2", {"a": "1=2"}),
        ("a=", {"a": ""}),
        ("a", {"a": None}),
        ("a=1&a=2", {"a": "2"}),
        ("a=Lab+two", {"a": "Lab two"}),
        ("a=Lab%20two", {"a": "Lab two"}),
        ("a=B%C3%BCro", {"a": "Büro"}),
        ("a=R%26D+%2F+%231+100%25", {"a": "R&D / #1 100%"}),
        ("mac=52:54:00:00:00:01", {"mac": "52:54:00:00:00:01"}),
        ("%3CSun-Fire-V210%3Eroot_path_name=%2Fa", {"<Sun-Fire-V210>root_path_name": "/a"}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a%5B%5D=1", {"a": ["1"]}),
        ("a[]", {"a": [""]}),
        ("a[]=1&a", {"a": ["1"]}),
        ("a&a[]=1", {"a": ["1"]}),
        ("a[x]=1&a[y]=2", {"a": {"x": "1", "y": "2"}}),
        ("a[x][y]=1", {"a[x][y]": "1"}),
        ("[]=1", {"[]": "1"}),
    ],
)
def test_reads_what_rack_reads(text, expected):
    assert dict(query(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a=%zz",
        "a=%",
        "a=%4",
        "%zz=1",
        "a=%ff",
        "a=%C3",
        "a=1&a[x]=2",
        "a=1&a[]=2",
        "a[]=1&a=2",
        "a[]=1&a[x]=2",
        "a[x]=1&a[]=2",
        "&".join("a=1" for _ in range(MOST_FIELDS + 1)),
        "a=" + "x" * 9000,
    ],
)
def test_refuses_what_cannot_be_read(text):
    with pytest.raises(InvalidValue):
        query(text)


def test_takes_as_many_fields_as_promised():
    assert query("&".join("a=1" for _ in range(MOST_FIELDS))).text("a") == "1"


def test_query_and_form_count_alike():
    parameters = all_parameters(request_with(query="a=1&b=2", body=b"b=3&c=4"))
    assert dict(parameters) == {"a": "1", "b": "3", "c": "4"}


def test_a_body_without_a_content_type_is_a_form():
    assert dict(form(b"a=1", content_type=None)) == {"a": "1"}


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream"])
def test_ignores_a_body_that_is_no_form(content_type):
    assert dict(form(b"a=1", content_type=content_type)) == {}


def multipart(*parts):
    return b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"


def test_reads_multipart():
    body = multipart(
        b'Content-Disposition: form-data; name="a"\r\n\r\n1',
        b'Content-Disposition: form-data; name="b[]"\r\n\r\n2',
        b'Content-Disposition: form-data; name="c"; filename="c.txt"\r\n\r\n3',
    )
    assert dict(form(body, "multipart/form-data; boundary=edge")) == {"a": "1", "b": ["2"]}


def test_refuses_multipart_that_is_not_utf8():
    body = multipart(b'Content-Disposition: form-data; name="a"\r\n\r\n\xff\xfe')
    with pytest.raises(InvalidValue):
        form(body, "multipart/form-data; boundary=edge")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--edge\r\nnonsense", "multipart/form-data; boundary=edge"),
        (b"--edge\r\n", "multipart/form-data"),
        (b"", "multipart/form-data; boundary="),
    ],
)
def test_broken_multipart_has_no_parameters(body, content_type):
    assert dict(form(body, content_type)) == {}


def test_text_of_a_missing_or_bare_parameter_is_none():
    assert query("a").text("a") is None
    assert query("").text("a") is None


@pytest.mark.parametrize("text", ["a[]=1", "a[x]=1"])
def test_text_refuses_another_shape(text):
    with pytest.raises(InvalidValue):
        query(text).text("a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", []), ("a", []), ("a=", []), ("a[]=", []), ("a[]", []), ("a[]=1&a[]=&a[]=2", ["1", "2"]), ("a=1", ["1"])],
)
def test_texts_are_those_that_are_not_empty(text, expected):
    assert query(text).texts("a") == expected


def test_texts_refuse_a_table():
    with pytest.raises(InvalidValue):
        query("a[x]=1").texts("a")


def test_table_may_be_missing_but_not_be_a_text():
    assert query("a").table("a") == {}
    assert query("a[x]=1").table("a") == {"x": "1"}
    with pytest.raises(InvalidValue):
        query("a=1").table("a")
