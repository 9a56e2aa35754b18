import re

import pytest
from flask import Flask

from proxy.request_id import HEADER, request_id


def ids(offered=None):
    headers = {} if offered is None else {HEADER: offered}
    with Flask(__name__).test_request_context(headers=headers):
        return request_id(), request_id()


@pytest.mark.parametrize("offered", ["52435fdd-481e-4989-83e2-a293e769efb4", "a", "x" * 128, "a.b_c:d/e@f=g+h-i"])
def test_the_callers_id_is_taken(offered):
    assert ids(offered) == (offered, offered)


@pytest.mark.parametrize("offered", [None, "", "x" * 129, "a b", "a\tb", 'a"b', "ä", "a;b"])
def test_anything_else_is_replaced(offered):
    made, again = ids(offered)
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert again == made


def test_two_requests_get_two_ids():
    assert ids()[0] != ids()[0]
