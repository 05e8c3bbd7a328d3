"""The Celery application of this machine's settings: `celery -A host_app.celery_app worker`."""

from __future__ import annotations

import os

from gigacore.settings import Settings
from host_app.broker import celery_app
from host_app.keys import with_keys

app = celery_app(with_keys(Settings.from_env(os.environ)))
