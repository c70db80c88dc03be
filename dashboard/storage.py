"""Static files with hashed names, compressed, ES module imports included."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage

OWN_MODULES = "js/*.js"
_, IMPORT_RULES = HashedFilesMixin._js_module_import_aggregation_patterns  # type: ignore[attr-defined]  # missing in the stubs  # noqa: SLF001 - see StaticStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # WhiteNoise has no types
    """`import "./x.js"` becomes the hashed name, so a cached module never meets a newer one.

    Django's own switch, `support_js_module_import_aggregation`, takes the files of others too;
    those name bundler aliases that are no files, and collecting them fails.
    """

    # the first start waits for this: one copy of each file, and the quick compression alone
    keep_only_hashed_files = True
    patterns: tuple[Any, ...] = (*HashedFilesMixin.patterns, (OWN_MODULES, IMPORT_RULES))

    def create_compressor(self, **kwargs: Any) -> Any:
        """Gzip only: brotli's last few percent cost seconds before the first page."""
        return super().create_compressor(**kwargs, use_brotli=False)
