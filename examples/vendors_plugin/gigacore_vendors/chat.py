"""A language model behind chat completions, as OpenAI and compatible servers (vLLM, Ollama, llama.cpp) have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from gigacore import msg
from gigacore.errors import Declined
from gigacore.ports import Answer, Prompt
from gigacore_vendors.config import secret, setting
from gigacore_vendors.web_calls import call

if TYPE_CHECKING:
    from gigacore import Crm

URL: Final = "vendors.chat_url"
MODEL: Final = "vendors.chat_model"
AGAIN: Final = "Answer with one JSON object of the form that was asked for, and nothing else."
KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict,
}  # fmt: skip


def of(crm: Crm) -> Chat | None:
    """The model, once its address is set."""
    return Chat(crm) if setting(crm, URL) else None


@dataclass(frozen=True, slots=True)
class Chat:
    """One question, one answer; what strangers wrote stands in a message of its own."""

    crm: Crm
    capabilities = frozenset({"values"})

    def ask(self, prompt: Prompt) -> Answer:
        """See `LanguageModel`."""
        messages = [{"role": "system", "content": prompt.instructions}, {"role": "user", "content": prompt.text}]
        answer = self._once(prompt, messages)
        if prompt.schema is None or answer.values is not None:
            return answer
        repaired = [*messages, {"role": "assistant", "content": answer.text}, {"role": "user", "content": AGAIN}]
        second = self._once(prompt, repaired)
        if second.values is None:
            raise Declined(msg("The model gave no values of the form that was asked for."), reason="values")
        taken = answer.input_tokens + second.input_tokens, answer.output_tokens + second.output_tokens
        return Answer(second.text, second.model, *taken, second.values)

    def _once(self, prompt: Prompt, messages: list[dict[str, str]]) -> Answer:
        body: dict[str, Any] = {
            "model": prompt.model or setting(self.crm, MODEL), "messages": messages, "store": False,
            "max_completion_tokens": prompt.max_tokens,
        }  # fmt: skip
        if prompt.schema is not None:
            form = {"name": "answer", "strict": True, "schema": prompt.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        key = secret(self.crm, "chat_key")
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        url = f"{setting(self.crm, URL).rstrip('/')}/chat/completions"
        return _answer(call(self.crm, "POST", url, headers, orjson.dumps(body)), prompt.schema)


def _answer(found: Mapping[str, Any], schema: Mapping[str, Any] | None) -> Answer:
    (choice, *_) = found["choices"]
    message = choice["message"]
    if message.get("refusal") or choice["finish_reason"] in ("length", "content_filter"):
        why = message.get("refusal") or choice["finish_reason"]
        raise Declined(msg("The model gave no answer: {reason}", reason=str(why)[:200]), reason=choice["finish_reason"])
    text, usage = str(message["content"]), found.get("usage") or {}
    values = None if schema is None else fitting(text, schema)
    taken = int(usage.get("prompt_tokens", 0)), int(usage.get("completion_tokens", 0))
    return Answer(text, str(found["model"]), *taken, values)


def fitting(text: str, schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The values of an answer, None where they do not fit: required names and their kinds are looked at."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    properties = schema.get("properties", {})
    if not isinstance(found, dict) or not set(schema.get("required", ())) <= set(found):
        return None
    wrong = [n for n, v in found.items() if n in properties and not isinstance(v, _kind(properties[n]))]
    return None if wrong else found


def _kind(spec: Mapping[str, Any]) -> type | tuple[type, ...]:
    return KINDS.get(str(spec.get("type")), object)
