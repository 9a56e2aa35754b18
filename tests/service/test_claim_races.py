"""Claims through real services: one holder, whichever process is asked, whoever is killed before it could answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from crowd import FORKING, Client, Crowd, Milestones
from running import Service

pytestmark = pytest.mark.race

ROUNDS = 500
ROUNDS_WITH_KILLS = 150
KILLS = 3
NODES = ("a", "b")


@pytest.fixture
def other_service(service: Service, tmp_path: Path) -> Iterator[Service]:
    """A second service on the same book, as on another machine with a shared database."""
    (tmp_path / "other").mkdir()
    other = Service(tmp_path / "other")
    other.environ["LEASEHOLD_DATABASE"] = f"sqlite:///{service.state_dir}/leasehold.db"
    other.start()
    yield other
    other.stop()


def claim(client: Client, node: str, turn: int) -> bool:
    """Whether ``node`` may run the guest of this turn."""
    body = json.dumps({"node": node})
    headers = {"Content-Type": "application/json"}
    answer = client.send("POST", f"/api/v1/guests/east/guest{turn}/claim", body, headers)
    if answer.status == 200:
        assert answer.json["node"] == node
        return True
    assert (answer.status, answer.json["error"]["code"]) == (409, "claimed"), answer
    assert answer.json["error"]["holder"]["node"] != node
    return False


def holders(client: Client) -> dict[str, str]:
    return {each["name"]: each["node"] for each in client.get("/api/v1/claims").json["items"]}


def test_two_nodes_at_once_have_one_holder(service: Service, other_service: Service) -> None:
    clients = (Client(service.port), Client(other_service.port))
    gate = FORKING.Barrier(2)

    def run(number: int) -> list[int]:
        won = []
        for turn in range(ROUNDS):
            gate.wait(120)
            if claim(clients[number], NODES[number], turn):
                won.append(turn)
        return won

    first, second = Crowd(2, run).results()

    assert sorted(first + second) == list(range(ROUNDS))
    assert holders(clients[0]) == {f"guest{turn}": "a" for turn in first} | {f"guest{turn}": "b" for turn in second}


def test_a_kill_between_claim_and_answer_makes_no_second_holder(service: Service) -> None:
    """Who got no answer asks again, and is told what was decided before."""
    client = Client(service.port, retries=True)
    gate, progress = FORKING.Barrier(2), Milestones()

    def run(number: int) -> list[int]:
        won = []
        for turn in range(ROUNDS_WITH_KILLS):
            gate.wait(120)
            if claim(client, NODES[number], turn):
                won.append(turn)
            progress.passed()
        return won

    crowd = Crowd(2, run)
    for _ in range(KILLS):
        progress.wait_for(2 * ROUNDS_WITH_KILLS // (KILLS + 1))
        service.kill()
        service.start()
    first, second = crowd.results()

    assert sorted(first + second) == list(range(ROUNDS_WITH_KILLS))
    assert holders(client) == {f"guest{turn}": "a" for turn in first} | {f"guest{turn}": "b" for turn in second}
