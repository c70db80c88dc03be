"""The job queues' own pages, on our site."""

from __future__ import annotations

from django.contrib import admin
from django_rq.admin import QueueAdmin
from django_rq.models import Dashboard

from dashboard.admin.site import admin_site

admin.register(Dashboard, site=admin_site)(QueueAdmin)
