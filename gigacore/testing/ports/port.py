"""What holds for every port, and for those that make things once for a key."""

from __future__ import annotations

import io
import math
import socket
import struct
import threading
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import pytest

from gigacore.errors import NotFound, Unavailable, Unsure
from gigacore.plugins.provided import capabilities
from gigacore.testing.contract import required

if TYPE_CHECKING:
    from gigacore import Crm, Plugin

UNKNOWN = "f" * 32


class PortContract:
    """What holds for every port. `prepare` sets the plugin up, and `cut_off` takes its vendor away for a while."""

    port: ClassVar[Callable[..., Any]]
    known: ClassVar[frozenset[str]]
    plugin: ClassVar[Plugin]
    key: ClassVar[str] = ""

    @pytest.fixture
    def plugins(self) -> Sequence[Plugin]:
        """The plugin under test, with the installed ones that it requires."""
        return [*required(self.plugin), self.plugin]

    @pytest.fixture
    def provided(self, crm: Crm) -> Any:
        """What is tried."""
        self.prepare(crm)
        found = crm.service(self.port, key=self.key)
        assert found is not None, "nothing is provided: set the plugin up in `prepare`, or name one of several in `key`"
        return found

    def prepare(self, crm: Crm) -> None:
        """Set the plugin up: settings, secrets, `crm.settings.outbound_allow` for a vendor on this machine."""

    def cut_off(self, provided: Any) -> AbstractContextManager[object]:
        """While this is open, the vendor cannot be reached. Override it where there is one."""
        pytest.skip("no vendor to be cut off: override cut_off")

    def asked(self, provided: Any) -> object:
        """A harmless call that needs the vendor."""
        raise NotImplementedError

    def test_capabilities_are_names_that_others_know(self, provided: Any) -> None:
        """A misspelt one would never be found; one's own begins with the plugin's name."""
        wrong = [one for one in capabilities(provided) - self.known if not one.startswith(f"{self.plugin.name}.")]
        assert wrong == [], f"known are {sorted(self.known)}"

    def test_it_is_gone_while_the_plugin_is_disabled(self, crm: Crm, provided: Any) -> None:
        """Whoever needs it does without."""
        crm.disable(self.plugin.name)
        assert crm.service(self.port, key=self.key) is None
        crm.enable(self.plugin.name)

    def test_a_vendor_that_cannot_be_reached_is_told_as_such(self, provided: Any) -> None:
        """So that a job tries again, or a person looks."""
        with self.cut_off(provided), pytest.raises((Unavailable, Unsure)):
            self.asked(provided)


class KeyedContract(PortContract):
    """What holds where something is made once for a key, and looked up by its id."""

    def asked(self, provided: Any) -> object:
        """A harmless call that needs the vendor."""
        return provided.find(UNKNOWN)

    def made(self, crm: Crm, provided: Any, key: str) -> Any:
        """Makes something with a key."""
        raise NotImplementedError

    def test_keys_outlive_a_start(self, crm: Crm, provided: Any) -> None:
        """The job that runs again may do so in another process."""
        key = "kept:" + "k" * 95
        first = self.made(crm, provided, key)
        crm.start()
        assert self.made(crm, crm.service(self.port, key=self.key), key).id == first.id

    def test_an_id_that_it_does_not_know_is_not_found(self, provided: Any) -> None:
        """Ids with signs of paths and addresses included."""
        for unknown in (UNKNOWN, "../../etc/passwd", "a?b=c#d"):
            with pytest.raises(NotFound):
                self.look(provided, unknown)

    def look(self, provided: Any, unknown: str) -> object:
        """Looks something up."""
        return provided.find(unknown)

    def once(self, act: Callable[..., Any]) -> Any:
        """Acts twice with a key and once with another; gives the first."""
        first, again, other = act(key="order-1"), act(key="order-1"), act(key="order-2")
        assert first.id == again.id, "the same key acted twice"
        assert first.id != other.id, "another key did not act"
        assert 0 < len(first.id) <= 200
        return first


def read(stream: BinaryIO) -> bytes:
    """All of a stream, which is then closed."""
    assert stream.tell() == 0 if stream.seekable() else True, "the stream is not at its start"
    content = stream.read()
    stream.close()
    assert stream.closed
    return content


def wav(seconds: float, hertz: float) -> bytes:
    """A tone, or silence at 0 Hz: mono, 8 kHz, 16 bits."""
    out = io.BytesIO()
    samples = (round(9000 * math.sin(2 * math.pi * hertz * n / 8000)) for n in range(round(8000 * seconds)))
    with wave.open(out, "wb") as target:
        target.setparams((1, 2, 8000, 0, "NONE", ""))
        target.writeframes(b"".join(struct.pack("<h", one) for one in samples))
    return out.getvalue()


@contextmanager
def listener() -> Iterator[tuple[str, list[object]]]:
    """An address on this machine, and who connected to it."""
    visitors: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    made, visitor = server.accept()
                    visitors.append(visitor)
                    made.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", visitors
        finally:
            over.set()
            thread.join()
