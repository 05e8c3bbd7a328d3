"""Speech to text: what was said in a recording, by whom and when."""

from __future__ import annotations

from typing import BinaryIO, Final, Protocol

from gigacore.values import dataclass

CAPABILITIES: Final = frozenset({"timestamps", "speakers"})


@dataclass(frozen=True, slots=True)
class Speech:
    """A recording to write down. `name` has its format's extension: mp3, wav, m4a, ogg or webm (TRA-1).

    `words` are names that are likely to be said. With `channels` each channel holds one speaker, as telephones record.
    """

    name: str
    language: str = ""
    words: tuple[str, ...] = ()
    channels: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """What one speaker said from `start` to `end`, in seconds from the beginning of the recording.

    `speaker` is `1`, `2` ...; with `channels`, the channel's number. Empty where the implementation cannot tell.
    """

    start: float
    end: float
    text: str
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. Without the capability `timestamps` there is one segment at most, over the whole recording."""

    segments: tuple[Segment, ...]
    seconds: float
    language: str = ""
    model: str = ""

    @property
    def text(self) -> str:
        """All of it, a line for each segment."""
        return "\n".join(segment.text for segment in self.segments)


class SpeechToText(Protocol):
    """Writes recordings down (TRA-1, TRA-2): any OpenAI-compatible server or a telephone provider can serve it.

    Splitting what is too long for a vendor (25 MB, some 20 minutes) is the implementation's part; moments count from
    the beginning all the same. It takes 100 MB at least.
    """

    @property
    def capabilities(self) -> frozenset[str]:
        """`timestamps`: segments say when; `speakers`: they say who."""

    def transcribe(self, audio: BinaryIO, speech: Speech) -> Transcript:
        """What was said, segments by their start; silence has none. Reads `audio` from where it stands, leaves it open.

        Raises Declined for what is no recording or of a format that it does not know, Unavailable.
        """
