import pytest

from providers.errors import Unavailable
from proxy.assembly import open_address_book
from proxy.settings import load


def test_a_file_that_cannot_be_reached_is_no_surprise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load(environ={"LEASEHOLD_DATABASE": f"sqlite:///{tmp_path}/{'x' * 300}.db"})
    with pytest.raises(Unavailable, match="File name too long"):
        open_address_book(settings)
