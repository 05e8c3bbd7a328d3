"""Makes docs/hooks.md from the hook specifications: `python -m tests.docs.hook_reference`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from gigacore.plugins import hookspecs

PAGE = Path(__file__).parents[2] / "docs/hooks.md"
POLICIES = {
    hookspecs.Failure.QUARANTINE: "A failure puts the plugin, and those that require it, into quarantine.",
    hookspecs.Failure.REFUSE: "A failure refuses the whole operation: nothing is written or shown.",
    hookspecs.Failure.LEAVE_OUT: "A failure leaves the part out, visibly for administrators.",
}


def fenced(text: str) -> str:
    """An indented example after `::` as a block that Markdown knows."""
    return re.sub(
        r"::\n\n((?: {4}.*\n|\n)+)",
        lambda found: ":\n\n```python\n" + inspect.cleandoc(found[1]) + "\n```\n\n",
        text,
    )


def reference() -> str:
    lines = ["# Hooks", "", fenced(inspect.getdoc(hookspecs) or "").split("\n\n", 1)[1], ""]
    for spec, failure in hookspecs.SPECS.items():
        title = spec.__name__.removesuffix("Hooks")
        lines += [f"## {title} hooks", "", inspect.getdoc(spec) or "", "", POLICIES[failure], ""]
        for name, function in inspect.getmembers(spec, inspect.isfunction):
            arguments = [a for a in inspect.signature(function).parameters if a != "self"]
            lines += [f"### `{name}({', '.join(arguments)})`", "", inspect.getdoc(function) or "", ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(reference())
