from __future__ import annotations

from pathlib import Path

import pytest

from pool_manager.core.env import SOCKET_PATH_MAX, EnvironmentFault, env_parse, socket_path

GOOD = {"SECRET_KEY": "s" * 40, "POOL_MANAGER_DATA_DIR": "/nonexistent/pm"}


def test_nothing_set_means_embedded_stores_and_a_careful_allow_list(tmp_path: Path) -> None:
    env = env_parse({"SECRET_KEY": "s" * 40}, base_dir=tmp_path)
    assert env.data_dir == tmp_path / "var"
    assert env.redis_embedded
    assert env.redis_url.startswith("unix://")
    assert env.database_url == ""
    assert "127.0.0.0/8" in env.probe_allow
    assert not any(word.startswith("169.254") for word in env.probe_allow)
    assert (env.journal_keep_days, env.journal_keep_entries) == (30, 5_000_000)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("DATABASE_URL", "mysql://db/pm", "it starts with 'mysql', not with one of postgres://"),
        ("REDIS_URL", "http://:pass@store", "it starts with 'http', not with one of redis://"),
        ("REDIS_URL", "localhost:6379", "not with one of redis://"),
        ("SECRET_KEY", "short", "5 characters are too few"),
        ("POOL_MANAGER_PROBE_ALLOW", "10.0.0.0/8,nonsense", "'nonsense' is not a network"),
        ("POOL_MANAGER_PROBE_ALLOW", "10.0.0.1/8", "host bits set"),
        ("POOL_MANAGER_JOURNAL_KEEP_DAYS", "0", "'0' is not a number from"),
        ("POOL_MANAGER_JOURNAL_KEEP_DAYS", "-1", "'-1' is not"),
        ("POOL_MANAGER_JOURNAL_KEEP_DAYS", "1000000", "is not a number from"),
        ("POOL_MANAGER_JOURNAL_KEEP_ENTRIES", "0.5", "is not a number from 1"),
        ("POOL_MANAGER_JOURNAL_KEEP_ENTRIES", "many", "'many' is not"),
        ("POOL_MANAGER_JOURNAL_KEEP_ENTRIES", "nan", "'nan' is not"),
        ("POOL_MANAGER_LOG_LEVEL", "loud", "'loud' is not one of DEBUG"),
        ("POOL_MANAGER_SQLITE_WAIT_S", "abc", "'abc' is not a number"),
        ("POOL_MANAGER_PROBE_HISTORY_KEEP_HOURS", "inf", "'inf' is not"),
    ],
)
def test_a_bad_variable_is_named_with_its_fault(name: str, value: str, problem: str) -> None:
    with pytest.raises(EnvironmentFault) as fault:
        env_parse({**GOOD, name: value}, base_dir=Path("/"))
    line = str(fault.value)
    assert line.startswith(f"{name}: ")
    assert problem in line
    assert "\n" not in line


def test_every_fault_is_told_at_once() -> None:
    bad = {"REDIS_URL": "x", "DATABASE_URL": "y", "POOL_MANAGER_JOURNAL_KEEP_DAYS": "z"}
    with pytest.raises(EnvironmentFault) as fault:
        env_parse({**GOOD, **bad}, base_dir=Path("/"))
    assert {line.partition(":")[0] for line in str(fault.value).splitlines()} == bad.keys()


def test_production_wants_a_secret_key() -> None:
    with pytest.raises(EnvironmentFault, match="SECRET_KEY: not set"):
        env_parse({"DATABASE_URL": "postgres://db/pm"}, base_dir=Path("/nonexistent"))


def test_the_secret_key_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("k" * 50 + "\n")
    env = env_parse({"SECRET_KEY_FILE": str(path)}, base_dir=tmp_path)
    assert env.secret_key == "k" * 50


def test_a_named_key_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="does not exist"):
        env_parse({"SECRET_KEY_FILE": str(tmp_path / "none")}, base_dir=tmp_path)


def test_a_long_data_dir_gets_a_short_socket_path_that_stays_the_same() -> None:
    deep = Path("/data") / ("x" * 120)
    assert len(str(socket_path(deep))) <= SOCKET_PATH_MAX
    assert socket_path(deep) == socket_path(deep)
    assert socket_path(deep) != socket_path(deep / "other")
    assert socket_path(Path("/data")) == Path("/data/live.sock")


def test_words_are_cut_at_commas_and_blanks_left_out() -> None:
    env = env_parse({**GOOD, "ALLOWED_HOSTS": " a.example , ,b.example"}, base_dir=Path("/"))
    assert env.allowed_hosts == ("a.example", "b.example")
