"""Touch tones: made, and recognised by their two frequencies (ITU-T Q.23), per channel and with their moments."""

from __future__ import annotations

import array
import io
import math
import sys
import wave
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO, Final

from gigacore import msg
from gigacore.errors import Declined
from gigacore.ports import Segment, Speech, Transcript

RATE: Final = 8000
LOW: Final = (697, 770, 852, 941)
HIGH: Final = (1209, 1336, 1477, 1633)
PADS: Final = "123A456B789C*0#D"
TONE: Final = 0.1  # seconds; as long again is silent
WINDOW: Final = 0.04
PAUSE: Final = 0.5
LOUD: Final = 0.02


def recording(*channels: str) -> bytes:
    """A WAV file in which each channel dials its text, spaces being pauses of 0.6 s."""
    sounds = [array.array("h", _sound(text)) for text in channels]
    longest = max(len(sound) for sound in sounds)
    frames = array.array("h", (_at(sound, n) for n in range(longest) for sound in sounds))
    if sys.byteorder == "big":
        frames.byteswap()
    out = io.BytesIO()
    with wave.open(out, "wb") as target:
        target.setparams((len(channels), 2, RATE, 0, "NONE", ""))
        target.writeframes(frames.tobytes())
    return out.getvalue()


def _at(sound: Sequence[int], n: int) -> int:
    return sound[n] if n < len(sound) else 0


def _sound(text: str) -> Iterator[int]:
    for sign in text:
        if sign == " ":
            yield from (0 for _ in range(round(RATE * 0.6)))
            continue
        low, high = LOW[PADS.index(sign) // 4], HIGH[PADS.index(sign) % 4]
        for n in range(round(RATE * TONE)):
            turn = 2 * math.pi * n / RATE
            yield round(9000 * (math.sin(turn * low) + math.sin(turn * high)))
        yield from (0 for _ in range(round(RATE * TONE)))


class TouchTones:
    """Writes down the touch tones of a recording."""

    capabilities = frozenset({"timestamps", "speakers"})

    def transcribe(self, audio: BinaryIO, speech: Speech) -> Transcript:
        """See `SpeechToText`."""
        rate, channels = _channels(audio)
        found = [
            replace(segment, speaker=str(number) if len(channels) > 1 else "")
            for number, sound in enumerate(channels, 1)
            for segment in _segments(list(_heard(sound, rate)))
        ]
        seconds = len(channels[0]) / rate
        return Transcript(tuple(sorted(found, key=lambda one: one.start)), seconds, speech.language, "touch-tones")


def _channels(audio: BinaryIO) -> tuple[int, list[array.array[int]]]:
    try:
        with wave.open(audio, "rb") as source:
            if source.getsampwidth() != 2:
                raise wave.Error("not 16 bit")
            frames = array.array("h", source.readframes(source.getnframes()))
            count, rate = source.getnchannels(), source.getframerate()
    except (wave.Error, EOFError, ValueError) as error:
        raise Declined(msg("This is no WAV file with 16 bits."), reason=str(error)) from error
    if sys.byteorder == "big":
        frames.byteswap()
    return rate, [frames[number::count] for number in range(count)]


def _heard(sound: Sequence[int], rate: int) -> Iterator[tuple[float, str]]:
    """The signs and when each began; a tone that fills several windows is one."""
    size, before = round(rate * WINDOW), ""
    for start in range(0, len(sound) - size + 1, size):
        sign = _sign(sound[start : start + size], rate)
        if sign and sign != before:
            yield start / rate, sign
        before = sign


def _sign(window: Sequence[int], rate: int) -> str:
    if sum(one * one for one in window) / len(window) < (32768 * LOUD) ** 2:
        return ""
    low, high = ([_power(window, rate, frequency) for frequency in row] for row in (LOW, HIGH))
    return PADS[4 * low.index(max(low)) + high.index(max(high))]


def _power(window: Sequence[int], rate: int, frequency: int) -> float:
    """How strong one frequency is (Goertzel)."""
    factor = 2 * math.cos(2 * math.pi * frequency / rate)
    last, before = 0.0, 0.0
    for one in window:
        last, before = one + factor * last - before, last
    return last * last + before * before - factor * last * before


def _segments(heard: Sequence[tuple[float, str]]) -> Iterator[Segment]:
    """Signs with no pause between them belong together."""
    open_ = Segment(0.0, -1.0, "")
    for at, sign in heard:
        if open_.text and at - open_.end > PAUSE:
            yield open_
            open_ = Segment(0.0, -1.0, "")
        open_ = Segment(open_.start if open_.text else at, at + TONE, open_.text + sign)
    if open_.text:
        yield open_
