"""Pictures of the pages that matter, in each width, theme and language, with axe-core and the page policy watched.

`python3 dev.py shots [--out DIR] [--pages home,list] [--widths 360,1440] [--themes dark] [--locales fr]`
"""

from __future__ import annotations

import argparse
import contextlib
import html
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

ROOT: Final = Path(__file__).parents[2]
CHROMIUM: Final = os.environ.get("GIGA_CHROMIUM", "/usr/bin/chromium")
AXE: Final = ROOT / ".cache/axe.min.js"
EMAIL, PASSWORD = "admin@example.test", "giga-demo-2026"
HEIGHTS: Final = {360: 740, 768: 1024, 1440: 900}
PAGES: Final[Mapping[str, str]] = {
    "home": "/", "list": "/crm/leads", "cards": "/crm/leads?as=cards", "record": "/crm/opportunities/1",
    "form": "/crm/contacts/1/edit", "sheet": "/crm/companies", "kanban": "/crm/opportunities/board",
    "builder": "/crm/leads/builder?status=new", "notifications": "/notifications", "settings": "/settings/general",
    "roles": "/settings/roles/manager", "pipelines": "/settings/pipelines", "users": "/settings/users",
    "currencies": "/settings/currencies", "backups": "/settings/backups", "sign-in": "/sign-in",
    "import": "/crm/leads/import", "automations": "/automations", "lead": "/crm/leads/1", "new": "/crm/leads/new",
    "fields": "/settings/fields", "choices": "/settings/lists/crm.lead_status", "plugins": "/settings/plugins",
    "schedules": "/settings/jobs/schedules", "search": "/search?q=martin", "status": "/crm/leads?as=status",
    "contact": "/crm/contacts/1", "company": "/crm/companies/1", "tasks": "/crm/tasks", "nothing": "/crm/leads?q=zzzz",
    "merge": "/crm/contacts/1/merge?other=2", "missing": "/crm/leads/999999", "rule": "/automations/new",
    "log": "/automations/log", "jobs": "/settings/jobs", "hooks": "/settings/webhooks", "mails": "/settings/mails",
    "inbox": "/settings/incoming/inbox", "plan": "/settings/plugins/lead_scoring?wish=disable", "trash": "/trash",
    "told": "/notifications/choices", "all-settings": "/settings",
    "palette": "/", "help": "/", "person": "/", "filter": "/crm/leads", "columns": "/crm/leads", "chosen": "/crm/leads",
    "lost": "/crm/opportunities/board", "fact": "/crm/contacts/1", "task": "/crm/contacts/1",
    "faults": "/crm/contacts/new",
    "import-columns": "/crm/leads/import",
}  # fmt: skip
GRAVE: Final = ("serious", "critical")


@dataclass
class Round:
    """One run: where pictures go, and what was found wrong."""

    address: str
    out: Path
    faults: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def take(self, page: Page, name: str) -> None:
        """One picture, and what axe-core says about the page."""
        page.screenshot(path=str(self.out / f"{name}.png"))
        self.names.append(name)
        for fault in serious_faults(page):
            self.tell(f"{name}: {fault}")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            self.tell(f"{name}: {wide} px wider than the window")

    def tell(self, fault: str) -> None:
        """Keep a fault and print it at once."""
        self.faults.append(fault)
        print(fault, flush=True)


def open_sheet(page: Page) -> None:
    """The form of a new record beside the list."""
    page.click("[data-key=n] >> visible=true")
    page.wait_for_selector("dialog.side-sheet form")


def open_palette(page: Page) -> None:
    """The palette with what it finds."""
    page.keyboard.press("Control+k")
    page.fill("#palette-q", "mar")
    page.wait_for_selector("#palette-hits a")


def choose_records(page: Page) -> None:
    """The bar of what may be done with the records that are ticked."""
    for place in range(2):
        page.locator(".tbl tbody .c input").nth(place).check()
    page.wait_for_selector(".selbar.on")


def ask_for_the_reason(page: Page) -> None:
    """The question that a lost opportunity is asked."""
    card = page.locator(".kcard").first
    card.hover()
    card.locator("[data-open-move]").click()
    page.click("#move-menu button >> nth=-1")
    page.wait_for_selector("dialog.sheet[open]")


def edit_a_fact(page: Page) -> None:
    """A fact that is being changed where it stands."""
    page.locator(".fact .pen").nth(3).click(force=True)
    page.wait_for_selector(".fact.editing input:not([type=hidden])")


def send_nothing(page: Page) -> None:
    """What a form says that lacks what is required."""
    page.click(".form-foot .btn-primary")
    page.wait_for_selector(".error-summary")


def send_a_file(page: Page) -> None:
    """The second step of an import."""
    text = "First name,Last name,E-mail,City\nZoe,Dupont,zoe@example.test,Lyon\nLeo,Martin,leo@example.test,Paris\n"
    page.set_input_files("#file", {"name": "leads.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.click(".form-foot .btn-primary")
    page.wait_for_selector("button[value=begin]")


def opens(trigger: str, shown: str) -> Callable[[Page], None]:
    """A click, and what then shows itself."""

    def act(page: Page) -> None:
        page.click(trigger)
        page.wait_for_selector(shown)

    return act


STATES: Final[Mapping[str, Callable[[Page], None]]] = {
    "sheet": open_sheet,
    "palette": open_palette,
    "help": opens("[data-dialog=shortcuts]", "#shortcuts[open]"),
    "person": opens(".me", "#m-me a"),
    "filter": opens("[data-menu=m-filter]", "#filter-box a"),
    "columns": opens("[data-menu=m-columns]", "#columns-box input:not([type=hidden])"),
    "chosen": choose_records,
    "lost": ask_for_the_reason,
    "fact": edit_a_fact,
    "task": opens(".composer .seg button >> nth=1", "#task-form input:not([type=hidden])"),
    "faults": send_nothing,
    "import-columns": send_a_file,
}
"""What is done on a page before its picture is taken."""
EXPECTED: Final = ("/crm/leads/999999", "/crm/contacts/new")
"""Pages whose own answer is a fault, which browsers log."""


def serious_faults(page: Page) -> list[str]:
    """What axe-core finds that is serious or critical."""
    page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run()")
    grave = [one for one in found["violations"] if one["impact"] in GRAVE]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in grave]


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def served(locale: str) -> Iterator[str]:
    """The demonstration on a data folder that is thrown away; gives its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="giga-shots-") as folder:
        command = [sys.executable, "-c", "from host_app.cli import main; main()", "demo", "--port", str(port)]
        server = subprocess.Popen(
            [*command, "--data-dir", folder, "--lang", locale], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def wait_for(url: str, server: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Until the server answers. Raises SystemExit when it ends or does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.3)
    sys.exit("shots: the demonstration did not start")


def shoot(browser: Browser, run: Round, locale: str, theme: str, wanted: argparse.Namespace) -> None:
    """All pages of one language and theme."""
    context = browser.new_context(color_scheme=theme, locale="fr-FR" if locale == "fr" else "en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    page.on("console", lambda told: run.tell(f"{page.url}: {told.text}") if is_fault(told, page) else None)
    page.on("pageerror", lambda error: run.tell(f"{page.url}: {error}"))
    if "sign-in" in wanted.pages:
        each_width(page, run, "sign-in", f"{locale}-{theme}", wanted.widths)
    sign_in(page, run.address)
    for name in wanted.pages:
        if name != "sign-in":
            each_width(page, run, name, f"{locale}-{theme}", wanted.widths)
    context.close()


def is_fault(told: ConsoleMessage, page: Page) -> bool:
    """Whether a message of the browser tells of something that should not be."""
    return told.type == "error" and not page.url.endswith(EXPECTED)


def sign_in(page: Page, address: str) -> None:
    """As the demonstration's administrator."""
    page.goto(f"{address}/sign-in")
    page.fill("#email", EMAIL)
    page.fill("#password", PASSWORD)
    page.click("main .btn-primary")
    page.wait_for_url(f"{address}/")


def each_width(page: Page, run: Round, name: str, look: str, widths: Sequence[int]) -> None:
    """A page in each width; `look` is its language and theme."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHTS.get(width, 900)})
        page.goto(run.address + PAGES[name])
        page.wait_for_load_state("networkidle")
        if act := STATES.get(name):
            bring_about(act, page, run, f"{name}-{look}-{width}")
        run.take(page, f"{name}-{look}-{width}")


def bring_about(act: Callable[[Page], None], page: Page, run: Round, name: str) -> None:
    """A state of the page; one that cannot be reached is a fault, and the other pictures are taken all the same."""
    from playwright.sync_api import Error

    try:
        act(page)
        page.wait_for_timeout(300)  # what slides in has come to rest
    except Error as error:
        run.tell(f"{name}: {error.message.splitlines()[0]}")


def write_index(run: Round) -> None:
    """All pictures on one page, to be looked at."""
    figures = "\n".join(
        f'<figure><figcaption>{n}</figcaption><img src="{n}.png" loading="lazy"></figure>' for n in run.names
    )
    faults = "".join(f"<li>{html.escape(fault)}</li>" for fault in run.faults) or "<li>No faults</li>"
    text = f'<!doctype html><meta charset="utf-8"><title>Shots</title><ul>{faults}</ul>{figures}'
    (run.out / "index.html").write_text(text, "utf-8")


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What is wanted; by default everything."""

    def words(text: str) -> list[str]:
        return text.split(",")

    parser = argparse.ArgumentParser(prog="dev.py shots", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / ".shots")
    parser.add_argument("--pages", type=words, default=list(PAGES))
    parser.add_argument("--widths", type=lambda text: [int(one) for one in words(text)], default=list(HEIGHTS))
    parser.add_argument("--themes", type=words, default=["light", "dark"])
    parser.add_argument("--locales", type=words, default=["en", "fr"])
    found = parser.parse_args(arguments)
    if unknown := set(found.pages) - set(PAGES):
        parser.error(f"unknown pages: {', '.join(sorted(unknown))}; there are {', '.join(PAGES)}")
    return found


def main(arguments: Sequence[str]) -> int:
    """Take the pictures; 1 when a page has a serious fault or breaks its policy."""
    from playwright.sync_api import sync_playwright

    wanted = options(arguments)
    wanted.out.mkdir(parents=True, exist_ok=True)
    run = Round("", wanted.out)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for locale in wanted.locales:
            with served(locale) as run.address:
                for theme in wanted.themes:
                    shoot(browser, run, locale, theme, wanted)
        browser.close()
    write_index(run)
    print(f"{len(run.names)} pictures, {len(run.faults)} faults: {wanted.out}/index.html")
    return 1 if run.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
