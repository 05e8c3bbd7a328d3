"""What one process counts of its requests, and the text format in which Prometheus reads numbers."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Final

from gigacore.values import dataclass

BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Meter:
    """Requests by kind of route, method and class of status, and how long they took; since the process began."""

    requests: dict[tuple[str, str, str], int] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, kind: str, method: str, status: int, seconds: float) -> None:
        """One request was answered."""
        key = (kind, method, f"{status // 100}xx")
        with self._lock:
            self.requests[key] = self.requests.get(key, 0) + 1
            row = self.seconds.setdefault(kind, [0.0] * (len(BUCKETS) + 2))
            row[bisect_left(BUCKETS, seconds)] += 1
            row[-1] += seconds

    def lines(self) -> Iterator[str]:
        """The numbers in Prometheus's text format."""
        with self._lock:
            requests = sorted(self.requests.items())
            seconds = {kind: list(row) for kind, row in sorted(self.seconds.items())}
        labelled = [({"kind": k, "method": m, "status": s}, n) for (k, m, s), n in requests]
        yield from metric("giga_requests_total", "counter", "Requests answered.", labelled)
        yield from _head("giga_request_seconds", "histogram", "How long requests took.")
        for kind, (*counts, total) in seconds.items():
            so_far = 0.0
            for limit, number in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
                so_far += number
                yield f'giga_request_seconds_bucket{{kind="{kind}",le="{limit}"}} {so_far:g}'
            yield f'giga_request_seconds_sum{{kind="{kind}"}} {total:.6f}'
            yield f'giga_request_seconds_count{{kind="{kind}"}} {so_far:g}'


def metric(
    name: str, kind: str, explained: str, values: Iterable[tuple[Mapping[str, str], float]]
) -> Iterator[str]:  # fmt: skip
    """One metric: its two lines of explanation, then a line per set of labels."""
    yield from _head(name, kind, explained)
    for labels, value in values:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{name}{{{inside}}} {value:.15g}" if inside else f"{name} {value:.15g}"


def _head(name: str, kind: str, explained: str) -> Iterator[str]:
    yield f"# HELP {name} {explained}"
    yield f"# TYPE {name} {kind}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
