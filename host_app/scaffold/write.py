"""Writes a new plugin from the files in `template`; everything but its name is derived."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gigacore.errors import Conflict, PluginError
from gigacore.messages import msg
from gigacore.plugins import API_LEVEL, discover
from gigacore.plugins.manifest import check_name
from gigacore.plugins.registration import prefix_clashes
from gigacore.values import dataclass

TEMPLATE: Final = Path(__file__).parent / "template"
TAKEN: Final = frozenset(
    (
        "api",
        "crm",
        "files",
        "healthz",
        "hooks",
        "imports",
        "me",
        "metrics",
        "p",
        "readyz",
        "search",
        "settings",
        "static",
        "trash",
    )
)


@dataclass(frozen=True, slots=True)
class Names:
    """What the templates fill in, all of it derived from the plugin's name."""

    name: str
    said_plural: str = ""

    @property
    def distribution(self) -> str:
        """`gigacore-site-visits`."""
        return f"gigacore-{self.name.replace('_', '-')}"

    @property
    def package(self) -> str:
        """`gigacore_site_visits`."""
        return f"gigacore_{self.name}"

    @property
    def entity(self) -> str:
        """`site_visit`: the name in the singular; beside a plural that was said, the name as it is."""
        if self.said_plural and self.said_plural != self.name:
            return self.name
        if self.name.endswith("ies"):
            return f"{self.name[:-3]}y"
        return self.name[:-1] if re.search(r"[^s]s$", self.name) and len(self.name) > 2 else self.name

    @property
    def plural(self) -> str:
        """`site_visits`."""
        if self.said_plural or self.entity != self.name:
            return self.said_plural or self.name
        return f"{self.name}{'es' if self.name.endswith(('s', 'x', 'ch', 'sh')) else 's'}"

    @property
    def cls(self) -> str:
        """`SiteVisit`."""
        return "".join(part.capitalize() for part in self.entity.split("_"))

    @property
    def label(self) -> str:
        """`Site visits`, the plugin's label."""
        return _label(self.name)

    @property
    def labels(self) -> list[str]:
        """Every text that derives from the name, once."""
        return list(dict.fromkeys((self.label, _label(self.entity), _label(self.plural))))

    @property
    def api(self) -> str:
        """The API level of this gigacore."""
        return "{}.{}".format(*API_LEVEL)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def write_plugin(name: str, parent: Path, plural: str = "") -> Path:
    """Writes the plugin `name` into a new folder below `parent` and returns that folder.

    `plural` is the word for many of its records where no `s` makes it. Raises PluginError for a name that cannot be one
    or is taken, Conflict if the folder exists.
    """
    names = Names(_plain(name), _plain(plural))
    _check(names.name)
    if names.said_plural:
        check_name(names.said_plural)
    folder = parent / names.distribution
    if folder.exists():
        raise Conflict(
            msg("{path} exists already.", path=folder), fix=msg("Remove it, or choose another folder with --path.")
        )
    _write_files(folder, names)
    _write_migration(folder, names)
    return folder


def _plain(name: str) -> str:
    plain = re.sub(r"[\W_]+", "_", name.lower()).strip("_")
    return plain.removeprefix("gigacore_")


def _check(name: str) -> None:
    check_name(name)
    installed = {candidate.name for candidate in discover()}
    if name in TAKEN | installed or prefix_clashes({name, "crm", *installed}):
        raise PluginError(name, msg("The name {name} is taken.", name=name), fix=msg("Choose another name."))


def _write_files(folder: Path, names: Names) -> None:
    environment = Environment(  # noqa: S701 - no HTML; what is filled in was checked
        loader=FileSystemLoader(TEMPLATE), undefined=StrictUndefined, keep_trailing_newline=True
    )
    for source in sorted(path for path in TEMPLATE.rglob("*.j2")):
        relative = source.relative_to(TEMPLATE).as_posix()
        target = folder / relative.removesuffix(".j2").replace("package/", f"{names.package}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(environment.get_template(relative).render(names=names), "utf-8")
    (folder / names.package / "py.typed").touch()


def _write_migration(folder: Path, names: Names) -> None:
    """In a process of its own: the declarations of a process are one set, and the package is not installed."""
    call = [sys.executable, "-m", "host_app.scaffold.migration", names.package, f"Table of {_label(names.plural)}"]
    done = subprocess.run(  # noqa: S603 - a checked name
        call, env=with_path(folder), capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise PluginError(
            names.name,
            msg("Its migration could not be written: {reason}", reason=last),
            fix=msg("Mend its models, then run `giga db revision {name}`.", name=names.name),
        )


def with_path(folder: Path) -> dict[str, str]:
    """The environment in which Python finds the packages of `folder` first."""
    known = [str(folder.resolve()), *filter(None, (str(Path(part).resolve()) for part in sys.path if part))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(known))}
