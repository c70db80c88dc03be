"""How many SQL statements each page takes, kept as a file: a page that grows with the fleet fails here.

After an intended change: `UPDATE_SNAPSHOTS=1 pytest tests/dashboard/test_query_counts.py`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pool_manager.fleet.models import Host, Instance, Pool, Zone
from tests.dashboard.pools_made import pool_make

SNAPSHOT = Path(__file__).with_name("query_counts.json")
PAGES = (
    "/", "/?group=pool&health=down", "/fleet.json", "/fleet.json?pool=recording", "/pools/",
    "/pools/recording/", "/events/", "/events/?pool=recording&kind=instance.", "/pools/new/",
    "/demo/remove/", "/admin/", "/admin/fleet/zone/", "/admin/fleet/host/", "/admin/fleet/pool/",
    "/admin/fleet/instance/", "/admin/fleet/pool/{pool}/change/",
    "/admin/fleet/instance/{instance}/change/", "/admin/fleet/host/{host}/change/",
    "/admin/fleet/zone/{zone}/change/", "/admin/fleet/pool/add/", "/admin/fleet/instance/add/",
    "/admin/fleet/host/add/", "/admin/fleet/zone/add/", "/admin/fleet/pool/{pool}/history/",
    "/admin/fleet/instance/{instance}/history/", "/admin/fleet/instance/{instance}/delete/",
    "/admin/auth/user/", "/admin/auth/user/add/", "/admin/auth/group/", "/admin/auth/group/add/",
    "/admin/password_change/",
)  # fmt: skip


def statements(client: Client, page: str) -> int:
    path = page.format(
        pool=Pool.objects.get(slug="recording").pk,
        instance=Instance.objects.all()[0].pk,
        host=Host.objects.all()[0].pk,
        zone=Zone.objects.all()[0].pk,
    )
    # looked up once in a process: each page pays for itself here
    ContentType.objects.clear_cache()
    with CaptureQueriesContext(
        connection,
    ) as taken:
        answer = client.get(path)
    assert answer.status_code == 200
    return len(taken)


def test_no_page_takes_more_statements_for_a_larger_fleet(client: Client) -> None:
    pool_make(instances=10, demo=True)
    few = {page: statements(client, page) for page in PAGES}
    for number in range(5):
        pool_make(f"other-{number}", instances=38, demo=True)
    many = {page: statements(client, page) for page in PAGES}
    assert many == few
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(few, indent=2) + "\n")
    assert few == json.loads(SNAPSHOT.read_text())
