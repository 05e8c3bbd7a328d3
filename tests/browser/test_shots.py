"""The command that takes pictures of the pages: its files, and its verdict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.shots.__main__ import serious_faults

ROOT = Path(__file__).parents[2]
BAD = '<html lang="en"><title>Bad</title><main><h1>Bad</h1><img src="/x.png"><button></button></main></html>'


def test_a_page_with_serious_faults_is_told_apart(chromium: Any) -> None:
    page = chromium.new_page()
    page.set_content(BAD)
    assert {fault.partition(":")[0] for fault in serious_faults(page)} == {"button-name", "image-alt"}
    page.set_content(BAD.replace("<img", '<img alt=""').replace("<button>", "<button>Go"))
    assert serious_faults(page) == []
    page.close()


@pytest.mark.slow
def test_pictures_are_taken_of_a_fresh_demo(chromium: Any, tmp_path: Path) -> None:
    wanted = ["--pages", "sign-in,home", "--widths", "360", "--themes", "dark", "--locales", "fr"]
    command = [sys.executable, "-m", "tests.shots", "--out", str(tmp_path), *wanted]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    taken = {path.name for path in tmp_path.iterdir()}
    assert taken == {"index.html", "home-fr-dark-360.png", "sign-in-fr-dark-360.png"}
