"""A telephone without a line: a machine answers every call, dials back what was dialled, and all of it is recorded."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from gigacore import NotFound, msg
from gigacore.errors import Declined, Unavailable
from gigacore.ports import Call, CallState, Dial, Recording, TextMessage, TextOrder, TextState
from gigacore_vendors.ledger import Ledger
from gigacore_vendors.touch_tones import recording

if TYPE_CHECKING:
    from gigacore import Crm

NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}")
OWN: Final = "+33199001122"  # of the numbers that ARCEP keeps for fiction


class DeskPhone:
    """Calls and texts that reach nobody."""

    capabilities = frozenset({"recording", "erase_recording", "texts"})

    def __init__(self, crm: Crm) -> None:
        self.clock = crm.clock
        self.calls = Ledger(crm.settings.data_dir / "vendors" / "calls")
        self.texts = Ledger(crm.settings.data_dir / "vendors" / "texts")

    def numbers(self) -> list[str]:
        """See `Telephony`."""
        return [OWN]

    def dial(self, order: Dial, *, key: str) -> Call:
        """See `Telephony`. The call is over at once."""
        checked(order.to_number)

        def make(number: str) -> dict[str, Any]:
            if order.record:
                digits = order.to_number[1:]
                self.calls.keep(number, "wav", recording(digits, f"{' ' * 5}{digits}"))
            at = self.clock.now().isoformat()
            return {"operator": order.operator, "to": order.to_number, "from": order.from_number or OWN, "at": at}

        return self._call(*self.calls.once(key, make))

    def find(self, call_id: str) -> Call:
        """See `Telephony`."""
        return self._call(call_id, self.calls.read(call_id))

    def open_recording(self, recording_id: str) -> BinaryIO:
        """See `Telephony`."""
        return self.calls.kept(recording_id, "wav").open("rb")

    def erase_recording(self, recording_id: str) -> None:
        """See `Telephony`."""
        try:
            self.calls.kept(recording_id, "wav").unlink(missing_ok=True)
        except NotFound:
            return
        except OSError as error:
            raise Unavailable(msg("The recording cannot be removed now.")) from error

    def send_text(self, order: TextOrder, *, key: str) -> TextMessage:
        """See `Telephony`."""
        checked(order.to_number)
        values = {"from": order.from_number, "to": order.to_number, "text": order.text}
        return _text(*self.texts.once(key, lambda _: values | {"at": self.clock.now().isoformat()}))

    def find_text(self, text_id: str) -> TextMessage:
        """See `Telephony`."""
        return _text(text_id, self.texts.read(text_id))

    def _call(self, number: str, row: dict[str, Any]) -> Call:
        at = datetime.fromisoformat(row["at"])
        try:
            self.calls.kept(number, "wav")
            recordings: tuple[Recording, ...] = (Recording(number, channels=2),)
        except NotFound:
            recordings = ()
        return Call(
            number, "out", CallState.ended, row["from"], row["to"], at, at, operator=row["operator"],
            recordings=recordings,
        )  # fmt: skip


def checked(number: str) -> str:
    """A number in E.164. Raises Declined."""
    if not NUMBER.fullmatch(number):
        raise Declined(msg("{number} is no telephone number.", number=number), reason="number")
    return number


def _text(number: str, row: dict[str, Any]) -> TextMessage:
    at = datetime.fromisoformat(row["at"])
    return TextMessage(number, "out", TextState.delivered, row["from"], row["to"], row["text"], at)
