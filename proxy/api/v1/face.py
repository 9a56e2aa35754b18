"""The blueprint that every module of ``/api/v1`` adds its routes to, and how errors in them are told."""

from __future__ import annotations

from flask import Blueprint, Response
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from providers.errors import LeaseholdError
from proxy import errors
from proxy.api.v1.errors import answer_to, answer_to_http, answer_to_surprise

PREFIX = "/api/v1"

face = Blueprint("api", __name__, url_prefix=PREFIX)


@face.errorhandler(LeaseholdError)
def _refused(error: LeaseholdError) -> Response:
    errors.note(error)
    return errors.with_headers(answer_to(error), error)


@face.errorhandler(ParseException)
def _unreadable(error: Exception) -> Response:
    return answer_to_surprise(errors.unreadable(error), 400)


@face.errorhandler(Exception)
def _surprised(error: Exception) -> Response:
    return answer_to_surprise(errors.surprise(error), 500)


face.register_error_handler(HTTPException, answer_to_http)
