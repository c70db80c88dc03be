"""Django's admin for zones, hosts, pools, instances and accounts."""

from __future__ import annotations

from dashboard.admin import accounts, instances, places, pools, queues
from dashboard.admin.site import admin_site

__all__ = ["accounts", "admin_site", "instances", "places", "pools", "queues"]
