"""The floors of the design hold: who may import whom."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAVY = {"flask", "werkzeug", "celery", "openai", "stripe", "click", "host_app"}


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_import_contracts_are_kept() -> None:
    result = run_python("-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache")
    assert result.returncode == 0, result.stdout


def test_importing_the_library_loads_no_web_framework_broker_or_vendor() -> None:
    result = run_python("-c", "import gigacore, sys; print(*{m.partition('.')[0] for m in sys.modules})")
    assert result.returncode == 0, result.stderr
    assert not HEAVY & set(result.stdout.split())
