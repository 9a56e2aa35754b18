"""What the controllers of one call have in hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.phpipam.accounts import App
from tests.phpipam.asked import Parameters
from tests.phpipam.results import Results
from tests.phpipam.store import Store


@dataclass
class Answer:
    """Status, and the members of the body between ``success`` and ``time`` in their order."""

    status: int
    members: dict[str, Any]
    location: str | None = None


@dataclass
class Service:
    """One call: what was asked, by which app, on what is stored."""

    store: Store
    parameters: Parameters
    app: App
    clock: Callable[[], datetime]
    whole_read_limit: int
    version: str

    @property
    def old_search(self) -> bool:
        """Whether every row that is found is told with dots, as before 1.8.2."""
        return self.version < "1.8.2"

    @property
    def results(self) -> Results:
        return Results(self.parameters, self.app)

    def data(self, data: Any) -> Answer:
        """A good answer to a question."""
        return Answer(200, {"data": data})

    def done(self, message: str) -> Answer:
        """A good answer to a change."""
        return Answer(200, {"message": message})
