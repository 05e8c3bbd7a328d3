"""A rule as people edit it: a tree of texts, to and from form inputs; what they mean is worked out elsewhere.

Steps are named by where they stand: `s.0`, and `s.0.t.1` or `s.0.e.0` inside a branch. Inputs begin with that name,
those of conditions with the name of their tree: `w` for the rule's own, `cs-0-t-1` for those of a branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field, replace
from typing import Final

from gigacore.values import dataclass
from host_app.pages import filter_tree
from host_app.pages.filter_tree import Group
from host_app.pages.raw import Raw

WAIT: Final = "wait"
BRANCH: Final = "if"
MOST_DEPTH: Final = 5
CONDITIONS: Final = frozenset({"add", "group", "rows", "remove"})


@dataclass(frozen=True, slots=True)
class StepDraft:
    """One step: `wait`, `if`, or an action's name; the texts of its inputs, and of a branch what lies below it."""

    kind: str = ""
    raw: Raw = field(default_factory=Raw)
    when: Group = field(default_factory=Group)
    then: Steps = ()
    other: Steps = ()


Steps = tuple[StepDraft, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole rule; `raw` holds the texts of the trigger's inputs."""

    name: str = ""
    entity: str = ""
    trigger: str = ""
    raw: Raw = field(default_factory=Raw)
    when: Group = field(default_factory=Group)
    steps: Steps = ()


def root_of(at: str) -> str:
    """The name of the condition tree of the branch at `at`."""
    return "c" + at.replace(".", "-")


def below(raw: Raw, start: str) -> Raw:
    """The inputs whose names begin with `start`, without it."""
    return Raw({name.removeprefix(start): texts for name, texts in raw.items() if name.startswith(start)})


def from_form(raw: Raw) -> Draft:
    """The rule that a submitted form holds."""
    return Draft(
        raw.text("name"),
        raw.text("entity"),
        raw.text("trigger"),
        below(raw, "tr."),
        filter_tree.from_form(raw, "w"),
        _steps("s", raw, 0),
    )


def _steps(at: str, raw: Raw, depth: int) -> Steps:
    if depth > MOST_DEPTH:
        return ()
    found = (name.removeprefix(f"{at}.").split(".") for name in raw if name.startswith(f"{at}."))
    places = sorted({int(parts[0]) for parts in found if len(parts) == 2 and parts[1] == "k" and parts[0].isdigit()})
    return tuple(_step(f"{at}.{place}", raw, depth) for place in places)


def _step(at: str, raw: Raw, depth: int) -> StepDraft:
    kind = raw.text(f"{at}.k")
    own = below(raw, f"{at}.p.")
    if kind != BRANCH:
        return StepDraft(kind, own)
    when = filter_tree.from_form(raw, root_of(at))
    return StepDraft(kind, own, when, _steps(f"{at}.t", raw, depth + 1), _steps(f"{at}.e", raw, depth + 1))


def places(steps: Steps, at: str = "s", path: str = "steps") -> Iterator[tuple[str, str, StepDraft]]:
    """Every step with its name in the form and its path in the rule's body, in order."""
    for number, step in enumerate(steps):
        here, there = f"{at}.{number}", f"{path}[{number}]"
        yield here, there, step
        yield from places(step.then, f"{here}.t", f"{there}.then")
        yield from places(step.other, f"{here}.e", f"{there}.else")


# Edits ---------------------------------------------------------------------------------------------------------------


def edited(draft: Draft, command: str, raw: Raw) -> Draft:
    """The rule after a button was pressed.

    `step:s.0.t`, `up:s.1`, `down:s.0`, `drop:s.0`, `field:s.0.values`, `unfield:s.0.values.2`, those of conditions.
    """
    word, _, at = command.partition(":")
    if word in CONDITIONS:
        return _conditions(draft, command, at.split(".")[0])
    segments = at.split(".")[1:]
    match word:
        case "step":
            new = StepDraft(raw.text(f"{at}.new"), when=Group(items=(filter_tree.Leaf(),)))
            return replace(draft, steps=_in_list(draft.steps, segments, lambda found: (*found, new)))
        case "up" | "down":
            return _on_step(draft, segments, lambda found, i: _swapped(found, i, -1 if word == "up" else 1))
        case "drop":
            return _on_step(draft, segments, lambda found, i: found[:i] + found[i + 1 :])
        case "field":
            return _on_step(draft, segments[:-1], lambda found, i: _put(found, i, _row_added(found[i], segments[-1])))
        case "unfield":
            name, row = f"{segments[-2]}.{segments[-1]}.", segments[:-2]
            return _on_step(draft, row, lambda found, i: _put(found, i, _without(found[i], name)))
    return draft


def _conditions(draft: Draft, command: str, root: str) -> Draft:
    if root == "w":
        return replace(draft, when=filter_tree.edited(draft.when, command))
    segments = root[1:].split("-")[1:]

    def change(found: Steps, i: int) -> Steps:
        return _put(found, i, replace(found[i], when=filter_tree.edited(found[i].when, command)))

    return _on_step(draft, segments, change)


def _on_step(draft: Draft, segments: list[str], change: Callable[[Steps, int], Steps]) -> Draft:
    if not segments or not segments[-1].isdigit():
        return draft
    number = int(segments[-1])
    inner = _in_list(draft.steps, segments[:-1], lambda found: change(found, number) if number < len(found) else found)
    return replace(draft, steps=inner)


def _in_list(steps: Steps, segments: list[str], change: Callable[[Steps], Steps]) -> Steps:
    if len(segments) < 2:
        return change(steps)
    number = int(segments[0]) if segments[0].isdigit() else len(steps)
    if number >= len(steps):
        return steps
    step = steps[number]
    if segments[1] == "t":
        return _put(steps, number, replace(step, then=_in_list(step.then, segments[2:], change)))
    return _put(steps, number, replace(step, other=_in_list(step.other, segments[2:], change)))


def _put(steps: Steps, number: int, step: StepDraft) -> Steps:
    return (*steps[:number], step, *steps[number + 1 :])


def _swapped(steps: Steps, number: int, way: int) -> Steps:
    other = number + way
    if not 0 <= other < len(steps):
        return steps
    found = list(steps)
    found[number], found[other] = found[other], found[number]
    return tuple(found)


def _row_added(step: StepDraft, name: str) -> StepDraft:
    number = max(step.raw.indexes(name), default=-1) + 1
    return replace(step, raw=Raw({**step.raw, f"{name}.{number}.f": [""]}))


def _without(step: StepDraft, start: str) -> StepDraft:
    return replace(step, raw=Raw({name: texts for name, texts in step.raw.items() if not name.startswith(start)}))
