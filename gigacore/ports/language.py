"""Language models: a text and instructions give a text, or values of a given form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from gigacore.values import dataclass

CAPABILITIES: Final = frozenset({"values"})


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked. `instructions` are the caller's own; `text` may come from strangers and is only ever material.

    With `schema`, an object's JSON Schema, the answer has values of that form. `max_tokens` bounds the answer. `model`
    overrides the model of the settings.
    """

    instructions: str
    text: str
    schema: Mapping[str, Any] | None = None
    max_tokens: int = 2000
    model: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered, and what it took. `values` only where a schema was given.

    People who read it are told that a model wrote it (EU 2024/1689, article 50).
    """

    text: str
    model: str
    input_tokens: int
    output_tokens: int
    values: Mapping[str, Any] | None = None


class LanguageModel(Protocol):
    """Answers (TRA-3, TRA-4, MAI-4, LEA-8): chat completions of OpenAI and of compatible servers (TRA-6) can serve it.

    Nothing is kept or used to train models: what a vendor must be told for that (`store=False`), the implementation
    tells.
    """

    @property
    def capabilities(self) -> frozenset[str]:
        """`values`: answers with a schema."""

    def ask(self, prompt: Prompt) -> Answer:
        """One answer. Values fit the schema; where the model gave others, it was asked once more.

        Raises Unavailable, and Declined when it refused, was cut off at `max_tokens`, gave no fitting values or is
        unknown.
        """
