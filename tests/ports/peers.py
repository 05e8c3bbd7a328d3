"""Vendors on this machine that speak over HTTP: a hosted checkout and a server of chat completions."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answered = tuple[int, Mapping[str, Any]]


class Peer:
    """A server on a free port; `down` has it answer 503."""

    def __init__(self) -> None:
        self.down = False
        self.seen: list[tuple[str, str, Mapping[str, str], bytes]] = []

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answered:
        raise NotImplementedError

    @contextmanager
    def running(self) -> Iterator[str]:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                peer.seen.append((self.command, self.path, headers, body))
                told: Answered = (503, {}) if peer.down else peer.answer(self.command, self.path, headers, body)
                content = json.dumps(told[1]).encode()
                self.send_response(told[0])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST

            def log_message(self, *_: Any) -> None: ...

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()
                thread.join()


def refusal(code: str, status: int = 400) -> Answered:
    return status, {"error": {"code": code, "message": f"no: {code}"}}


class CheckoutPeer(Peer):
    """Sessions, refunds and idempotency keys; `pay` is what the payer does on the hosted page."""

    KEY = "sk_test_of_this_machine"

    def __init__(self) -> None:
        super().__init__()
        self.sessions: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, tuple[bytes, Answered]] = {}
        self.refunds = 0

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answered:
        if headers.get("authorization") != f"Bearer {self.KEY}":
            return refusal("api_key_invalid", 401)
        where = urlsplit(path).path
        if method == "GET":
            found = self.sessions.get(where.rpartition("/")[2])
            return (200, found) if found else refusal("resource_missing", 404)
        key = headers["idempotency-key"]
        if key in self.by_key:
            known, told = self.by_key[key]
            return told if known == body else refusal("idempotency_error")
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        told = self.start(form) if where == "/v1/checkout/sessions" else self.refund(form)
        self.by_key[key] = body, told
        return told

    def start(self, form: Mapping[str, str]) -> Answered:
        number = f"cs_test_{len(self.sessions) + 1}"
        line = "line_items[0]"
        self.sessions[number] = {
            "id": number, "status": "open", "payment_status": "unpaid", "payment_intent": None,
            "currency": form[f"{line}[price_data][currency]"],
            "amount_total": int(form[f"{line}[price_data][unit_amount]"]) * int(form[f"{line}[quantity]"]),
            "client_reference_id": form["client_reference_id"], "url": f"https://pay.example/{number}",
        }  # fmt: skip
        return 200, dict(self.sessions[number])

    def pay(self, number: str) -> None:
        charge = {"amount_refunded": 0, "disputed": False}
        intent = {"id": f"pi_{number}", "latest_charge": charge}
        self.sessions[number] |= {"status": "complete", "payment_status": "paid", "payment_intent": intent, "url": None}

    def refund(self, form: Mapping[str, str]) -> Answered:
        session = self.sessions[form["payment_intent"].removeprefix("pi_")]
        charge = session["payment_intent"]["latest_charge"]
        left = session["amount_total"] - charge["amount_refunded"]
        amount = int(form.get("amount", left))
        if amount > left:
            return refusal("amount_too_large")
        charge["amount_refunded"] += amount
        self.refunds += 1
        made = {"id": f"re_{self.refunds}", "status": "succeeded", "amount": amount, "currency": session["currency"]}
        return 200, made

    @staticmethod
    def message(secret: str, at: float, session: str, number: int = 1) -> tuple[dict[str, str], bytes]:
        event = {"id": f"evt_{number}", "type": "checkout.session.completed", "data": {"object": {"id": session}}}
        body = json.dumps(event).encode()
        signed = hmac.new(secret.encode(), f"{int(at)}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={int(at)},v1=beef,v1={signed}"}, body


class ChatPeer(Peer):
    """Says what `says` holds, one after the other, the last one again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.says: list[Any] = []
        self.finish = "stop"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answered:
        asked = json.loads(body)
        if asked["model"] != "tiny":
            return refusal("model_not_found", 404)
        text = "Hello." if "response_format" not in asked else '{"score": 80, "reason": "polite"}'
        if self.says:
            text = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": self.finish}
        usage = {"prompt_tokens": 12, "completion_tokens": 5}
        return 200, {"model": "tiny-2026", "choices": [choice], "usage": usage}
