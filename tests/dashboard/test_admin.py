from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from pool_manager.fleet.models import Host, Instance, Pool, Zone
from pool_manager.journal.models import Entry
from tests.dashboard.pools_made import pool_make

NO_DEPENDENCIES = {
    "dependencies-TOTAL_FORMS": "0",
    "dependencies-INITIAL_FORMS": "0",
}

# the form carries what it was filled with
UNCHANGED = {"initial-labels": "{}"}


def pool_data(**changed: str) -> dict[str, str]:
    data = {
        "slug": "recording", "kind": "stateless", "owner": "", "runbook_url": "", "labels": "{}",
        "min_instances": "0", "max_instances": "1000", "probe_kind": "http", "probe_params": "{}",
        "interval_ms": "1000", "timeout_ms": "250", "rise": "2", "fall": "3", "fast_ms": "100",
        "recheck_ms": "20", **NO_DEPENDENCIES, **UNCHANGED,
    }  # fmt: skip
    return {**data, **changed}


def newest() -> Entry:
    return Entry.objects.order_by("-seq")[0]


def change_url(obj: Any, page: str = "change") -> str:
    return reverse(f"admin:fleet_{type(obj).__name__.lower()}_{page}", args=[obj.pk])


def test_a_zone_added_is_journaled_with_who(client: Client) -> None:
    client.post(
        reverse("admin:fleet_zone_add"),
        {"name": "zone-a", "life": "in_service", "labels": "{}"},
    )
    assert Zone.objects.get().name == "zone-a"
    assert (newest().kind, newest().actor) == ("zone.created", "ada")


def test_a_changed_pool_names_its_fields_and_tells_the_probers(client: Client) -> None:
    pool = pool_make()
    answer = client.post(change_url(pool), pool_data(interval_ms="500", fall="2"))
    assert answer.status_code == 302
    assert newest().kind == "pool.changed"
    assert sorted(newest().data["fields"]) == ["fall", "interval_ms"]
    assert Pool.objects.get().version == pool.version + 1


def test_a_pool_saved_unchanged_writes_no_event(client: Client) -> None:
    pool = pool_make()
    before = newest().seq
    assert client.post(change_url(pool), pool_data()).status_code == 302
    assert newest().seq == before


def test_every_fault_of_probe_settings_is_shown_and_nothing_saved(client: Client) -> None:
    pool = pool_make()
    faulty = '{"path": "no-slash", "expect": "ok", "pathh": 1}'
    page = client.post(change_url(pool), pool_data(probe_params=faulty))
    shown = page.context["adminform"].form.errors["probe_params"]
    assert [text.partition(":")[0] for text in shown] == ["pathh", "path", "expect"]
    assert Pool.objects.get().probe_params == {}


def test_a_callee_added_is_a_change_of_the_pool(client: Client) -> None:
    pool, callee = pool_make(), pool_make("sms", instances=1)
    row = {
        "dependencies-TOTAL_FORMS": "1",
        "dependencies-0-callee": str(callee.pk),
        "dependencies-0-tolerance_ms": "300",
    }
    assert client.post(change_url(pool), pool_data(**row)).status_code == 302
    assert pool.dependencies.get().tolerance_ms == 300
    assert newest().data == {"fields": ["dependencies"]}


def test_a_deleted_pool_takes_its_instances_along_and_says_which(client: Client) -> None:
    pool = pool_make()
    page = client.get(change_url(pool, "delete"))
    assert b"recording@127.1.0.1:9000" in page.content
    client.post(change_url(pool, "delete"), {"post": "yes"})
    assert not Instance.objects.exists()
    assert newest().kind == "pool.deleted"


def test_a_host_with_instances_cannot_be_deleted(client: Client) -> None:
    pool_make()
    host = Host.objects.all()[0]
    client.post(change_url(host, "delete"), {"post": "yes"})
    assert Host.objects.filter(pk=host.pk).exists()


def act(client: Client, action: str, rows: list[Host], **fields: str) -> Any:
    return client.post(
        reverse("admin:fleet_host_changelist"),
        {"action": action, "_selected_action": [row.pk for row in rows], **fields},
        follow=True,
    )


def test_maintenance_is_set_and_ended_for_the_chosen_hosts(client: Client) -> None:
    pool_make()
    hosts = list(Host.objects.all())
    act(client, "maintenance", hosts, reason="new disks", hours="2")
    assert {(host.override, host.override_by) for host in Host.objects.all()} == {
        ("maintenance", "ada")
    }
    assert newest().data["reason"] == "new disks"
    act(client, "override_end", hosts)
    assert newest().kind == "maintenance.ended"


def test_an_override_without_a_reason_is_refused_for_all(client: Client) -> None:
    pool_make()
    page = act(client, "drain", list(Host.objects.all()))
    assert b"Nothing was changed. reason: say why" in page.content
    assert set(Host.objects.values_list("override", flat=True)) == {"none"}


def instance_data(**changed: str) -> dict[str, str]:
    return {
        "pool": str(Pool.objects.get().pk),
        "host": str(Host.objects.all()[0].pk),
        "address": "127.1.0.1", "port": "9100", "weight": "100", "build": "",
        "labels": "{}", "metadata": "{}", **changed,
    }  # fmt: skip


def test_an_instance_is_named_after_pool_host_and_port(client: Client) -> None:
    pool_make()
    client.post(reverse("admin:fleet_instance_add"), instance_data())
    assert Instance.objects.filter(name="recording@127.1.0.1:9100").exists()
    assert newest().kind == "instance.registered"


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        pytest.param({"port": "9000"}, "__all__", id="an address taken"),
        pytest.param({"port": "70000"}, "port", id="a port out of range"),
    ],
)
def test_an_instance_that_cannot_be_is_refused(
    client: Client, changed: dict[str, str], where: str
) -> None:
    pool_make()
    page = client.post(reverse("admin:fleet_instance_add"), instance_data(**changed))
    assert where in page.context["adminform"].form.errors
    assert Instance.objects.count() == 2


def test_health_cannot_be_edited(client: Client) -> None:
    pool_make()
    instance = Instance.objects.all()[0]
    data = {**instance_data(port=str(instance.port)), "health": "up"}
    client.post(change_url(instance), data)
    instance.refresh_from_db()
    assert instance.health == "unknown"


def test_a_new_user_is_journaled_without_the_password(client: Client) -> None:
    secret = "a quite long password"
    client.post(
        reverse("admin:auth_user_add"),
        {"username": "eve", "usable_password": "true", "password1": secret, "password2": secret},
    )
    assert User.objects.filter(username="eve").exists()
    assert newest().kind == "config.changed"
    assert newest().message == "user eve: added"


def test_a_changed_password_is_journaled(client: Client, stranger: User) -> None:
    secret = "another quite long one"
    client.post(
        reverse("admin:auth_user_password_change", args=[stranger.pk]),
        {"usable_password": "true", "password1": secret, "password2": secret, "set-password": "1"},
    )
    assert (newest().kind, newest().actor) == ("config.changed", "ada")


def test_deleted_users_are_journaled(client: Client, stranger: User) -> None:
    client.post(
        reverse("admin:auth_user_changelist"),
        {"action": "delete_selected", "_selected_action": [stranger.pk], "post": "yes"},
    )
    assert not User.objects.filter(username="sam").exists()
    assert newest().message == "user sam: deleted"


def test_an_account_without_staff_status_is_told_so(stranger: User) -> None:
    browser = Client()
    browser.force_login(stranger)
    page = browser.get(reverse("admin:index"), follow=True)
    assert page.status_code == 403
    assert b"staff status" in page.content


@pytest.mark.usefixtures("operator")
def test_the_admin_asks_at_the_login_page_and_comes_back() -> None:
    browser = Client()
    page = browser.get("/admin/fleet/pool/", follow=True)
    assert page.templates[0].name == "dashboard/login.html"
    address = page.redirect_chain[-1][0]
    answer = browser.post(
        address,
        {"username": "ada", "password": "a long password", "next": page.context["next"]},
    )
    assert answer["Location"] == "/admin/fleet/pool/"
