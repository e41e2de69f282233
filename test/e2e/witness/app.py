"""The other end of the wire, as wire.md has it: calls over HTTP, sockets, the token exchange."""

import base64
import http.client
import json
import time
from urllib.parse import urlsplit

from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from schema import ClientFrame, ServerFrame, message

ACCOUNT = "sallyport.account.v1"
CHAT = "sallyport.chat.v1"
PATIENCE = 10


def decode64(text: str) -> bytes:
    """Standard base64 with padding, strictly."""
    return base64.b64decode(text, validate=True)


class Answer:
    """An answer over HTTP."""

    def __init__(self, status: int, content_type: str, content: bytes):
        self.status, self.content_type, self.content = status, content_type, content

    @property
    def json(self):
        return json.loads(self.content)

    @property
    def code(self) -> str:
        return self.json["code"]

    def detail(self, kind):
        """The google.rpc detail of a kind, or None. Connect leaves out base64's padding."""
        for detail in self.json.get("details", []):
            if detail["type"] == kind.DESCRIPTOR.full_name:
                return kind.FromString(base64.b64decode(detail["value"] + "=" * (-len(detail["value"]) % 4)))
        return None

    @property
    def fields(self) -> list:
        bad = self.detail(BadRequest)
        return [violation.field for violation in bad.field_violations] if bad else []


class Api:
    """HTTP to a gateway."""

    def __init__(self, url: str):
        self.url = urlsplit(url)

    def send(self, verb: str, path: str, body: bytes = b"", headers: dict | None = None) -> Answer:
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=PATIENCE)
        try:
            connection.request(verb, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.getheader("content-type", ""), response.read())
        finally:
            connection.close()

    def call(self, method: str, request, token: bytes | None = None, content_type: str = "application/json") -> Answer:
        """Calls "package.Service/Method" with a dict (JSON) or a message (protobuf)."""
        headers = {"content-type": content_type}
        if token is not None:
            headers["authorization"] = "Bearer " + base64.b64encode(token).decode()
        body = json.dumps(request).encode() if isinstance(request, dict) else request.SerializeToString()
        return self.send("POST", "/" + method, body, headers)

    def call_proto(self, method: str, request, token: bytes | None = None) -> Answer:
        return self.call(method, request, token, "application/proto")

    def socket(self, services: str) -> "Socket":
        return Socket(f"ws://{self.url.netloc}/connect/{services}")

    def log_in(self, name: str) -> dict:
        answer = self.call(f"{ACCOUNT}.AccountService/Login", {"dev": {"name": name}, "client": {"platform": "witness", "version": "1.0"}})
        assert answer.status == 200, answer.content
        return answer.json


class Closed(Exception):
    """The socket has ended."""

    def __init__(self, code: int):
        super().__init__(f"closed with {code}")
        self.code = code


class Socket:
    """A WebSocket that sorts what comes: Binary frames (tokens, replies) and Text frames (events)."""

    def __init__(self, url: str):
        self._socket = connect(url, compression=None, max_size=None, proxy=None, open_timeout=PATIENCE, close_timeout=1)
        self._binary, self._events, self._id = [], [], 0

    def send(self, frame) -> None:
        try:
            self._socket.send(frame)
        except ConnectionClosed:
            pass  # What it was closed with is read next.

    def _read(self, deadline: float) -> None:
        try:
            frame = self._socket.recv(timeout=max(0.001, deadline - time.monotonic()))
        except ConnectionClosed as end:
            raise Closed(end.rcvd.code if end.rcvd else 1006) from None
        (self._binary if isinstance(frame, bytes) else self._events).append(frame)

    def _next(self, queue: list):
        deadline = time.monotonic() + PATIENCE
        while not queue:
            self._read(deadline)
        return queue.pop(0)

    def binary(self) -> bytes:
        return self._next(self._binary)

    def event(self) -> dict:
        return json.loads(self._next(self._events))

    def exchange(self, *tokens: bytes) -> list:
        """Presents refresh tokens, all at once; answers (refresh token, access token) for each."""
        for token in tokens:
            self.send(token)
        return [(self.binary(), self.binary()) for _ in tokens]

    def frame(self, **kind) -> None:
        self.send(ClientFrame(**kind).SerializeToString())

    def keep_alive(self) -> None:
        self.frame(keep_alive={})

    def ack(self, *ids: str) -> None:
        self.frame(ack={"message_ids": ids})

    def start(self, method: str, request: bytes, timeout_ms: int = 0) -> int:
        self._id += 1
        self.frame(call={"id": self._id, "method": "/" + method, "request": request, "timeout_ms": timeout_ms})
        return self._id

    def reply(self, call_id: int):
        reply = ServerFrame.FromString(self.binary()).reply
        assert reply.call_id == call_id, f"a reply to {reply.call_id}, not to {call_id}"
        return reply

    def call(self, method: str, request):
        return self.reply(self.start(method, request.SerializeToString()))

    def close_code(self) -> int:
        """What it is closed with, whatever comes before."""
        deadline = time.monotonic() + PATIENCE
        try:
            while True:
                self._read(deadline)
        except Closed as end:
            return end.code

    def close(self) -> None:
        self._socket.close()


def fields_of(reply) -> list:
    """The fields that a failed reply names."""
    for detail in reply.details:
        if detail.type_url.endswith("/google.rpc.BadRequest"):
            return [violation.field for violation in BadRequest.FromString(detail.value).field_violations]
    return []


def info_of(reply):
    """A failed reply's ErrorInfo, or None."""
    for detail in reply.details:
        if detail.type_url.endswith("/google.rpc.ErrorInfo"):
            return ErrorInfo.FromString(detail.value)
    return None


def chat_message(name: str):
    return message(f"{CHAT}.{name}")
