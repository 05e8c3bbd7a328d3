"""A rule's steps as a flat program, so that a run remembers where it waits as one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gigacore.errors import FieldError, Invalid
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

MAX_STEPS: Final = 50
MAX_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class Do:
    """Run an action with parameters. `at` is the step's place in the rule (`steps[1].then[0]`)."""

    at: str
    action: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on after this long (ISO 8601 duration)."""

    at: str
    duration: str


@dataclass(frozen=True, slots=True)
class Unless:
    """Go on at `target` unless the condition holds."""

    at: str
    condition: Mapping[str, Any]
    target: int


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on at `target`."""

    target: int


Instruction = Do | Wait | Unless | Jump


def assemble(steps: object) -> tuple[Instruction, ...]:
    """The program of a rule's `steps`.

    A step is `{"do": action, "with": {...}}`, `{"wait": "P1D"}` or `{"if": filter, "then": [...], "else": [...]}`.
    Raises Invalid with the place of each step that is none of these.
    """
    program: list[Instruction] = []
    _assemble(steps, "steps", program, 0)
    if len(program) > MAX_STEPS:
        raise Invalid.of("steps", msg("A rule has at most {limit} steps.", limit=MAX_STEPS), "too_many")
    return tuple(program)


def _assemble(steps: object, at: str, program: list[Instruction], depth: int) -> None:
    if not isinstance(steps, Sequence) or isinstance(steps, str):
        raise _wrong(at, msg("This must be a list of steps."))
    if depth > MAX_DEPTH:
        raise _wrong(at, msg("Branches may be nested {limit} deep.", limit=MAX_DEPTH))
    for number, step in enumerate(steps):
        _step(step, f"{at}[{number}]", program, depth)


def _step(step: object, at: str, program: list[Instruction], depth: int) -> None:
    match step:
        case {"do": str(action), **rest} if not rest.keys() - {"with"}:
            params = rest.get("with") or {}
            if not isinstance(params, Mapping):
                raise _wrong(f"{at}.with", msg("The parameters of a step must be an object."))
            program.append(Do(at, action, params))
        case {"wait": str(duration), **rest} if not rest:
            program.append(Wait(at, duration))
        case {"if": Mapping() as condition, **rest} if not rest.keys() - {"then", "else"}:
            _branch(condition, rest, at, program, depth)
        case _:
            raise _wrong(at, msg("A step has either “do”, “wait” or “if”."))


def _branch(
    condition: Mapping[Any, Any], rest: Mapping[Any, Any], at: str, program: list[Instruction], depth: int
) -> None:
    start = len(program)
    program.append(Unless(at, condition, 0))
    _assemble(rest.get("then") or [], f"{at}.then", program, depth + 1)
    otherwise = rest.get("else") or []
    if otherwise:
        leave = len(program)
        program.append(Jump(0))
        program[start] = Unless(at, condition, len(program))
        _assemble(otherwise, f"{at}.else", program, depth + 1)
        program[leave] = Jump(len(program))
    else:
        program[start] = Unless(at, condition, len(program))


def _wrong(at: str, message: Msg) -> Invalid:
    return Invalid(errors=[FieldError(at, message, "invalid")])
