"""The head row exists from the start: no writer has to make it, none can race for it."""

from __future__ import annotations

from django.db import migrations


def head_make(apps, schema_editor):
    apps.get_model("journal", "Head").objects.get_or_create(id=1)


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_initial")]
    operations = [migrations.RunPython(head_make, migrations.RunPython.noop)]
