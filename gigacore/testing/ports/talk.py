"""The promises of telephony, of speech to text, and of language models."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from gigacore.errors import Declined, GigaError, NotFound
from gigacore.plugins.provided import capabilities
from gigacore.ports import (
    Dial,
    LanguageModel,
    Prompt,
    Speech,
    SpeechToText,
    Telephony,
    TextOrder,
    language,
    speech,
    telephony,
)
from gigacore.testing.ports.port import UNKNOWN, KeyedContract, PortContract, read, wav

if TYPE_CHECKING:
    from gigacore import Crm

NUMBER = "+33199005678"  # of the numbers that ARCEP keeps for fiction
MAGICS = (b"RIFF", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"OggS")


class TelephonyContract(KeyedContract):
    """Set `operator` to whom the provider lets call."""

    port = Telephony
    known = telephony.CAPABILITIES
    operator: ClassVar[str] = "1"

    def dialled(self, provided: Any, key: str = "dialled", *, record: bool = False, to: str = NUMBER) -> Any:
        """A call."""
        return provided.dial(Dial(self.operator, to, provided.numbers()[0], record=record), key=key)

    def made(self, crm: Crm, provided: Any, key: str) -> Any:
        """A call."""
        return self.dialled(provided, key)

    def test_the_same_key_makes_one_call(self, provided: Any) -> None:
        """A person who is called twice hangs up."""
        made = self.once(lambda key: self.dialled(provided, key))
        assert (made.direction, made.to_number) == ("out", NUMBER)
        assert made.from_number in provided.numbers()
        assert made.started_at.tzinfo is not None
        assert provided.find(made.id).to_number == NUMBER

    def test_what_is_no_number_is_declined(self, provided: Any) -> None:
        """Before anybody's telephone rings."""
        for wrong in ("0199005678", "", "+0", "+33 1 99 00 56 78"):
            with pytest.raises(Declined):
                self.dialled(provided, f"wrong {wrong}", to=wrong)

    def test_a_recording_is_a_stream_until_it_is_erased(self, provided: Any) -> None:
        """Of MP3 or WAV; erasing twice is erasing once."""
        if "recording" not in capabilities(provided):
            pytest.skip("it records nothing")
        found = provided.find(self.dialled(provided, record=True).id)
        if not found.recordings:
            pytest.skip("the recording comes later")
        number = found.recordings[0].id
        assert read(provided.open_recording(number)).startswith(MAGICS)
        with pytest.raises(NotFound):
            provided.open_recording(UNKNOWN)
        if "erase_recording" in capabilities(provided):
            provided.erase_recording(number)
            provided.erase_recording(number)
            with pytest.raises(NotFound):
                provided.open_recording(number)

    def test_a_text_is_sent_once_or_declined(self, provided: Any) -> None:
        """By the capability `texts`."""
        order = TextOrder(provided.numbers()[0], NUMBER, "Bonjour à vous")
        if "texts" not in capabilities(provided):
            with pytest.raises(Declined):
                provided.send_text(order, key="text")
            return
        made = self.once(lambda key: provided.send_text(order, key=key))
        assert (made.direction, made.text) == ("out", order.text)
        assert provided.find_text(made.id).text == order.text
        with pytest.raises(NotFound):
            provided.find_text(UNKNOWN)


class SpeechToTextContract(PortContract):
    """A recording becomes text."""

    port = SpeechToText
    known = speech.CAPABILITIES

    def recording(self) -> bytes:
        """A WAV file in which something is to be recognised."""
        return wav(3, 440.0)

    def asked(self, provided: Any) -> object:
        """A transcript."""
        return provided.transcribe(io.BytesIO(self.recording()), Speech("call.wav", "fr"))

    def test_segments_are_in_order_and_within_the_recording(self, provided: Any) -> None:
        """Whatever was heard."""
        given = io.BytesIO(self.recording())
        found = provided.transcribe(given, Speech("call.wav", "fr"))
        assert not given.closed, "the caller closes what it opened"
        assert [one.start for one in found.segments] == sorted(one.start for one in found.segments)
        assert all(0 <= one.start <= one.end <= found.seconds + 1 for one in found.segments)
        assert all(one.text.strip() for one in found.segments)
        if "timestamps" not in capabilities(provided):
            assert len(found.segments) <= 1
        if "speakers" not in capabilities(provided):
            assert {one.speaker for one in found.segments} <= {""}

    def test_silence_is_no_text(self, provided: Any) -> None:
        """And no error."""
        found = provided.transcribe(io.BytesIO(wav(2, 0.0)), Speech("call.wav"))
        assert found.text == ""
        assert found.seconds == pytest.approx(2, abs=0.5)

    def test_what_is_no_recording_is_declined(self, provided: Any) -> None:
        """It would be none tomorrow either."""
        with pytest.raises(Declined):
            provided.transcribe(io.BytesIO(b"no recording"), Speech("call.wav"))


class LanguageModelContract(PortContract):
    """A question becomes an answer."""

    port = LanguageModel
    known = language.CAPABILITIES
    schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"score": {"type": "integer"}, "reason": {"type": "string"}},
        "required": ["score", "reason"],
        "additionalProperties": False,
    }

    def asked(self, provided: Any) -> Any:
        """An answer."""
        return provided.ask(Prompt("Answer in one sentence.", "Hello"))

    def test_an_answer_is_text_and_says_what_it_took(self, provided: Any) -> None:
        """For the account of what it costs."""
        found = self.asked(provided)
        assert found.text
        assert found.model
        assert min(found.input_tokens, found.output_tokens) > 0
        assert found.values is None

    def test_with_a_schema_it_is_values(self, provided: Any) -> None:
        """Of that form."""
        if "values" not in capabilities(provided):
            pytest.skip("it gives no values")
        found = provided.ask(Prompt("Score the call from 0 to 100.", "Hello, thank you, goodbye.", self.schema))
        assert set(found.values) == {"score", "reason"}
        assert isinstance(found.values["score"], int)
        assert isinstance(found.values["reason"], str)

    def test_a_model_that_is_unknown_is_declined(self, provided: Any) -> None:
        """Its name is a setting: asking again does not help."""
        with pytest.raises(GigaError) as caught:
            provided.ask(Prompt("Answer.", "Hello", model="no-such-model"))
        assert isinstance(caught.value, Declined | NotFound)
