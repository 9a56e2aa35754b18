"""The setting ``database``: an SQLAlchemy URL of one of the databases that the book knows."""

from __future__ import annotations

from marshmallow import ValidationError
from marshmallow.fields import Field
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from providers.book.database import without_password

_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
}


class DatabaseURL(Field[URL]):
    """The database; names without a driver get the one that is installed with Leasehold's extras.

    ``hides_secret`` tells proxy.settings.effective that the serialised form holds no secret any more.
    """

    hides_secret = True
    allowed = "an SQLAlchemy URL that begins with sqlite:///, postgresql+psycopg:// or mysql+pymysql://"

    def _deserialize(self, value: object, *_: object, **__: object) -> URL:
        url = _url(value)
        driver = _DRIVERS.get(url.drivername)
        if driver is None:
            raise ValidationError(f"has the driver {url.drivername[:40]!r}, which the book does not know")
        if driver == "sqlite" and url.database in {None, "", ":memory:"}:
            raise ValidationError("names no file, and all workers share one")
        return url.set(drivername=driver)

    def _serialize(self, value: URL | None, *_: object, **__: object) -> str | None:
        return None if value is None else without_password(value)


def _url(value: object) -> URL:
    if isinstance(value, URL):
        return value
    if not isinstance(value, str):
        raise ValidationError("is not text: put it in quotes")
    try:
        return make_url(value.strip())
    # ValueError: a port that is no number.
    except (ArgumentError, ValueError) as error:
        raise ValidationError("is not an SQLAlchemy URL") from error
