from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboard.bars import WIDTH, segments
from dashboard.probe_words import probe_facts, probe_short
from dashboard.states import COUNTS, WORDS, counted, sentence, state_of
from pool_manager.fleet.models import Pool

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("life", "override", "health", "failing", "state"),
    [
        ("in_service", "none", "up", 0, "up"),
        ("in_service", "none", "up", 1, "doubt"),
        ("in_service", "none", "degraded", 0, "degraded"),
        ("in_service", "none", "down", 2, "down"),
        ("in_service", "none", "unknown", 1, "unknown"),
        ("in_service", "none", "starting", 1, "starting"),
        ("in_service", "drain", "up", 0, "draining"),
        ("in_service", "maintenance", "down", 2, "maintenance"),
        ("draining", "none", "down", 2, "draining"),
        ("terminating", "none", "up", 0, "draining"),
        ("draining", "maintenance", "up", 0, "maintenance"),
        ("lost", "none", "up", 0, "down"),
        ("launching", "none", "unknown", 0, "starting"),
        ("standby", "none", "up", 0, "up"),
    ],
)
def test_the_state_that_counts(
    life: str, override: str, health: str, failing: int, state: str
) -> None:
    assert state_of(life=life, override=override, health=health, failing=failing) == state


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ([], "No instances."),
        (["up"], "1 instance, up."),
        (["up", "up"], "All 2 instances up."),
        (["down"], "0 of 1 instance up, 1 down."),
        (["up", "doubt", "down", "down"], "1 of 4 instances up, 2 down, 1 in doubt."),
    ],
)
def test_counts_as_a_sentence(states: list[str], words: str) -> None:
    assert sentence(counted(states)) == words


def test_the_bar_is_full_and_begins_with_up() -> None:
    bar = segments(counted(["down", "up", "doubt"]))
    assert [part.state for part in bar] == ["up", "down", "doubt"]
    assert sum(part.width for part in bar) == pytest.approx(WIDTH, abs=0.01)
    assert segments(counted([])) == []


def test_pages_and_scripts_know_the_same_states_in_the_same_order() -> None:
    script = (ROOT / "static/js/states.js").read_text()
    known = re.search(r"STATES = \[(.*?)\]", script, re.DOTALL)
    assert known is not None
    assert re.findall(r'"(\w+)"', known[1]) == list(WORDS)
    for state, word in WORDS.items():
        assert f'{state}: "{word}"' in script
    assert sorted(COUNTS) == sorted(WORDS)


def test_every_state_has_a_shape_for_text_and_for_the_grid() -> None:
    sprite = (ROOT / "templates/dashboard/shapes.html").read_text()
    grid = (ROOT / "static/js/cell_shapes.js").read_text()
    for state in WORDS:
        assert f'id="shape-{state}"' in sprite
        assert f"  {state}(pen, " in grid


def test_an_http_probe_in_words() -> None:
    pool = Pool(slug="sms", probe_params={"path": "/ready", "host": "sms.internal"}, fall=1)
    facts = dict(probe_facts(pool))
    assert facts["Request"] == "HTTP GET /ready"
    assert facts["Host header"] == "sms.internal"
    assert facts["Down"] == "after 1 failed probe"
    assert facts["Interval"] == "1,000 ms, 100 ms while in doubt"
    assert probe_short(pool) == "http GET /ready, every 1,000 ms"


def test_a_tcp_probe_in_words() -> None:
    pool = Pool(slug="db", probe_kind="tcp", probe_params={"port": 5432})
    assert dict(probe_facts(pool))["Request"] == "TCP: the connection opens"
    assert dict(probe_facts(pool))["Port"] == "5432"
    assert probe_short(pool) == "tcp, every 1,000 ms"
