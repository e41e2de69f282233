"""A client of another make, written from wire.md and the protos alone, that walks the whole contract.

Usage: witness.py <gateway URL>. Prints a line for every check and ends non-zero at the first that fails.
"""

import base64
import hashlib
import json
import sys
import uuid
from datetime import datetime, timezone

from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from websockets.exceptions import InvalidStatus

from app import ACCOUNT, CHAT, Api, Socket, chat_message, decode64, fields_of, info_of
from schema import message

LOGIN = f"{ACCOUNT}.AccountService/Login"
GET_ACCOUNT = f"{ACCOUNT}.AccountService/GetAccount"
LOGOUT = f"{ACCOUNT}.AccountService/Logout"
SEND = f"{CHAT}.ChatService/SendMessage"
STATES = f"{CHAT}.ChatService/GetMessageStates"
PENDING = f"{CHAT}.ChatService/ListPending"
ACK = f"{CHAT}.ChatService/AckMessages"
REPORT = f"{CHAT}.ChatService/ReportMessages"


class Failed(Exception):
    pass


def check(what: str, got, expected=True) -> None:
    """Prints a line when `got` is what it should be, and fails when not."""
    if got != expected:
        raise Failed(f"{what}: expected {expected!r}, got {got!r}")
    print(f"ok  {what}", flush=True)


class Person:
    """Somebody with an account and, for each service, the newest tokens."""

    def __init__(self, api: Api, name: str | None = None):
        self.api = api
        self.name = name or f"witness-{uuid.uuid4()}"
        self.login = api.log_in(self.name)
        self.id = self.login["accountId"]
        self.refresh = {service: decode64(pair["refreshToken"]) for service, pair in self.login["tokens"].items()}
        self.access = {}

    def connect(self, *services: str) -> Socket:
        """Makes the exchange, keeps the new tokens, then confirms them."""
        socket = self.api.socket(",".join(services))
        for service, (refresh, access) in zip(services, socket.exchange(*(self.refresh[service] for service in services))):
            self.refresh[service], self.access[service] = refresh, access
        socket.keep_alive()
        return socket


def login(api: Api) -> None:
    person = Person(api)
    check("login makes an account on first use", person.login["created"])
    check("an account id is a uuid in lower case", str(uuid.UUID(person.id)), person.id)
    check("login answers a pair for each service", sorted(person.login["tokens"]), ["account", "chat"])
    for service, pair in person.login["tokens"].items():
        check(f"the {service} refresh token is 1024 bytes", len(decode64(pair["refreshToken"])), 1024)
        check(f"the {service} access token is 32 bytes", len(decode64(pair["accessToken"])), 32)
    again = Person(api, person.name)
    check("a second login is of the same account", (again.id, again.login.get("created", False)), (person.id, False))
    check("with tokens of its own", again.refresh["chat"] != person.refresh["chat"])
    socket = person.connect("account")
    check("the first session goes on", api.call(GET_ACCOUNT, {}, person.access["account"]).status, 200)
    socket.close()


def http_order(api: Api) -> None:
    json_type = {"content-type": "application/json"}
    unknown = api.send("POST", "/sallyport.chat.v1.ChatService/Sing", b"{}", json_type)
    check("an unknown method is 404", (unknown.status, unknown.code), (404, "unimplemented"))
    check("an unknown path is 404 for any verb", api.send("GET", "/nothing").status, 404)
    internal = f"/{ACCOUNT}.TokenService/PresentRefreshToken"
    check("an internal method is 404", api.send("POST", internal, b"{}", json_type).status, 404)
    check("the operator's page is not here", api.send("GET", "/livez").status, 404)
    check("GET is 405, before the type is looked at", api.send("GET", f"/{SEND}").status, 405)
    check("another type is 415, before the token is looked at", api.send("POST", f"/{SEND}", b"x", {"content-type": "text/plain"}).status, 415)
    missing = api.call(SEND, {})
    check("no token is 401, before the request is looked at", (missing.status, missing.code), (401, "unauthenticated"))
    check("with an ErrorInfo of ours", missing.detail(ErrorInfo).domain, "sallyport")
    check("a token that nobody issued is 401", api.call(SEND, {}, b"x" * 32).status, 401)
    headers = {**json_type, "authorization": "Bearer ?"}
    check("a token that is no base64 is 401", api.send("POST", f"/{SEND}", b"{}", headers).status, 401)
    nameless = api.call(LOGIN, {"dev": {"name": ""}})
    check("a violated rule is 400 and names the field", (nameless.status, nameless.code, nameless.fields), (400, "invalid_argument", ["dev.name"]))
    check("no credential at all is named too", api.call(LOGIN, {}).fields, ["credential"])
    broken = api.send("POST", f"/{LOGIN}", b"{", json_type)
    check("a body that is no JSON is 400", (broken.status, broken.code), (400, "invalid_argument"))
    check("with an ErrorInfo too", broken.detail(ErrorInfo).domain, "sallyport")
    extra = api.call(LOGIN, {"dev": {"name": f"witness-{uuid.uuid4()}", "colour": 3}, "unknown": []})
    check("unknown fields are ignored", extra.status, 200)


def upgrades(api: Api) -> None:
    for services in ("", "none", "chat,chat", "chat,none", "chat,"):
        try:
            api.socket(services)
            status = 101
        except InvalidStatus as refused:
            status = refused.response.status_code
        check(f"/connect/{services} is 404", status, 404)


def exchange(api: Api) -> None:
    person = Person(api)
    before = api.call(GET_ACCOUNT, {}, decode64(person.login["tokens"]["account"]["accessToken"]))
    check("login's access token is of no use before the exchange", before.status, 401)
    first = api.socket("chat,account")
    pairs = first.exchange(person.refresh["chat"], person.refresh["account"])
    sizes = [len(part) for pair in pairs for part in pair]
    check("both exchanges, in the URL's order, 1024 and 32 bytes each", sizes, [1024, 32, 1024, 32])
    check("the tokens are all different", len({*person.refresh.values(), *(part for pair in pairs for part in pair)}), 6)

    second = api.socket("chat")
    [replayed] = second.exchange(person.refresh["chat"])
    check("before the confirmation, the old token gives the same successor", replayed[0], pairs[0][0])
    check("and an access token of its own", replayed[1] != pairs[0][1])

    chat_token, account_token = pairs[0][1], pairs[1][1]
    check("the account token opens account calls, over JSON", api.call(GET_ACCOUNT, {}, account_token).json["accountId"], person.id)
    answer = api.call_proto(GET_ACCOUNT, message(f"{ACCOUNT}.GetAccountRequest")(), account_token)
    account = message(f"{ACCOUNT}.GetAccountResponse").FromString(answer.content)
    check("and in protobuf", (answer.content_type, account.account_id), ("application/proto", person.id))
    wrong = api.call(GET_ACCOUNT, {}, chat_token)
    check("the chat token does not: 403", (wrong.status, wrong.code), (403, "permission_denied"))
    check("with an ErrorInfo", wrong.detail(ErrorInfo).domain, "sallyport")

    first.keep_alive()
    check("the first socket's events went to the newer one", next_of(first, "displaced"), {"displaced": {}})
    check("its calls are still served", first.call(PENDING, chat_message("ListPendingRequest")()).code, 0)
    check("on it, a call to the other service of the URL too", first.call(GET_ACCOUNT, message(f"{ACCOUNT}.GetAccountRequest")()).code, 0)
    late = api.socket("chat")
    late.send(person.refresh["chat"])
    check("a token that was retired a moment ago is 4503", late.close_code(), 4503)
    check("which ends no session", api.call(GET_ACCOUNT, {}, account_token).status, 200)

    first.close()
    second.close()
    check("an access token dies with its socket", dies(api, account_token), True)


def next_of(socket: Socket, kind: str) -> dict:
    while True:
        event = socket.event()
        if kind in event:
            return event


def dies(api: Api, token: bytes) -> bool:
    """Whether a token is refused within a second: each try is a call, so nothing sleeps."""
    deadline = datetime.now(timezone.utc).timestamp() + 1
    while datetime.now(timezone.utc).timestamp() < deadline:
        if api.call(GET_ACCOUNT, {}, token).status == 401:
            return True
    return False


def delivery(api: Api) -> None:
    alice, bob = Person(api), Person(api)
    at_alice, at_bob = alice.connect("chat"), bob.connect("chat")
    check("nothing waits for somebody new", at_bob.event(), {"queueEmpty": {}})
    check("nor for the other", at_alice.event(), {"queueEmpty": {}})

    body, client_id = "Grüße, 🚪".encode(), str(uuid.uuid4())
    request = chat_message("SendMessageRequest")(recipient_account_id=bob.id, client_message_id=client_id, body=body)
    call = at_alice.start(SEND, request.SerializeToString())
    event = at_bob.event()["message"]
    check("an event has exactly these fields", sorted(event), ["body", "clientMessageId", "id", "receipt", "senderAccountId", "sentAt"])
    check("the body is what was sent", decode64(event["body"]), body)
    check("the sender is who sent", (event["senderAccountId"], event["clientMessageId"]), (alice.id, client_id))
    at_bob.ack(event["id"])
    reply = at_alice.reply(call)
    check("the send is answered OK", reply.code, 0)
    sent = chat_message("SendMessageResponse").FromString(reply.response)
    check("with the event's id and receipt", (sent.message_id, sent.receipt), (event["id"], event["receipt"]))
    delivered = at_alice.event()["delivered"]
    ids = (delivered["messageId"], delivered["clientMessageId"], delivered["recipientAccountId"])
    check("the sender hears of the delivery", ids, (event["id"], client_id, bob.id))
    receipt_shape(alice, bob, event, body)

    states = chat_message("GetMessageStatesRequest")(client_message_ids=[client_id, str(uuid.uuid4())])
    answer = chat_message("GetMessageStatesResponse").FromString(at_alice.call(STATES, states).response)
    kinds = chat_message("ClientMessageState").DESCRIPTOR.fields_by_name["state"].enum_type.values_by_number
    found = [(state.client_message_id, kinds[state.state].name) for state in answer.states]
    check("its state is delivered, an unknown one's unknown", [name for _, name in found], ["MESSAGE_STATE_DELIVERED", "MESSAGE_STATE_UNKNOWN"])

    repeats(api, alice, bob, event, body)
    socket_errors(at_alice, bob)
    offline(api, alice, bob, at_bob)
    reports(api, alice, bob, event, body)
    at_alice.close()


def receipt_shape(alice: Person, bob: Person, event: dict, body: bytes) -> None:
    header, claims, signature = event["receipt"].split(".")
    unpack = lambda part: json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    head = unpack(header)
    check("a receipt's header", (head["alg"], head["typ"], sorted(head)), ("HS256", "receipt+jwt", ["alg", "kid", "typ"]))
    sent_at = datetime.fromisoformat(event["sentAt"].replace("Z", "+00:00"))
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip("=")
    expected = {"iss": "sallyport", "iat": int(sent_at.timestamp()), "jti": event["id"], "sub": alice.id, "aud": bob.id, "dig": digest}
    check("a receipt's claims, exactly", unpack(claims), expected)
    check("a receipt's signature is 32 bytes", len(base64.urlsafe_b64decode(signature + "=")), 32)


def repeats(api: Api, alice: Person, bob: Person, event: dict, body: bytes) -> None:
    again = {"recipientAccountId": bob.id.upper(), "clientMessageId": event["clientMessageId"].upper(), "body": event["body"]}
    answer = api.call(SEND, again, alice.access["chat"]).json
    told = (answer["messageId"], answer["sentAt"], answer["receipt"], answer["state"])
    check("a repeat over JSON, in upper case, is the same message", told, (event["id"], event["sentAt"], event["receipt"], "STATE_DELIVERED"))
    other = api.call(SEND, {**again, "body": base64.b64encode(body + b"!").decode()}, alice.access["chat"])
    check("the same id with another body is 409", (other.status, other.code), (409, "already_exists"))
    nobody = api.call(SEND, {**again, "recipientAccountId": str(uuid.uuid4()), "clientMessageId": str(uuid.uuid4())}, alice.access["chat"])
    check("an unknown recipient is 404", (nobody.status, nobody.code), (404, "not_found"))
    check("with an ErrorInfo", nobody.detail(ErrorInfo).domain, "sallyport")


def socket_errors(socket: Socket, bob: Person) -> None:
    empty = chat_message("SendMessageRequest")(recipient_account_id=bob.id, client_message_id=str(uuid.uuid4()))
    refused = socket.call(SEND, empty)
    check("a bad request fails the call and names the field", (refused.code, fields_of(refused)), (3, ["body"]))
    check("with an ErrorInfo", info_of(refused).domain, "sallyport")
    check("an unknown method is 12", socket.call("sallyport.chat.v1.ChatService/Sing", empty).code, 12)
    check("an internal method is 12", socket.call(f"{CHAT}.DeliveryService/Attach", chat_message("AttachRequest")()).code, 12)
    check("a call to a service of no exchange is 7", socket.call(GET_ACCOUNT, message(f"{ACCOUNT}.GetAccountRequest")()).code, 7)
    socket.send(b"\x4a\x03abc")
    socket.send(b"")
    check("frames of an unknown kind are ignored", socket.call(PENDING, chat_message("ListPendingRequest")()).code, 0)


def offline(api: Api, alice: Person, bob: Person, at_bob: Socket) -> None:
    at_bob.close()
    bodies, told = [b"first", b"second"], []
    for body in bodies:
        request = chat_message("SendMessageRequest")(recipient_account_id=bob.id, client_message_id=str(uuid.uuid4()), body=body)
        answer = api.call_proto(SEND, request, alice.access["chat"])
        check("a send to somebody away is OK, in protobuf", answer.status, 200)
        told.append(chat_message("SendMessageResponse").FromString(answer.content))
    socket = bob.connect("chat")
    events = [socket.event()["message"], socket.event()["message"]]
    check("what waited comes in order", [decode64(event["body"]) for event in events], bodies)
    check("with the ids and receipts that the sender was told", [(e["id"], e["receipt"]) for e in events], [(t.message_id, t.receipt) for t in told])
    stamps = [t.sent_at.ToDatetime(timezone.utc) for t in told]
    check("and the times", [datetime.fromisoformat(e["sentAt"].replace("Z", "+00:00")) for e in events], stamps)
    check("then the queue is empty", socket.event(), {"queueEmpty": {}})
    waiting = api.call(PENDING, {}, bob.access["chat"]).json["messages"]
    check("until acknowledged, they are pending, to the letter", waiting, events)
    check("a page that is too large is refused", api.call(PENDING, {"pageSize": 257}, bob.access["chat"]).fields, ["pageSize"])
    check("acknowledging by a call", api.call(ACK, {"messageIds": [e["id"] for e in events] * 2}, bob.access["chat"]).status, 200)
    check("empties the inbox", api.call(PENDING, {}, bob.access["chat"]).json.get("messages", []), [])
    bob.socket = socket


def reports(api: Api, alice: Person, bob: Person, event: dict, body: bytes) -> None:
    evidence = {"receipt": event["receipt"], "body": event["body"]}
    request = {"reason": "unfriendly", "messages": [evidence]}
    filed = api.call(REPORT, request, bob.access["chat"])
    check("the recipient's report is filed", filed.status, 200)
    check("under a uuid", str(uuid.UUID(filed.json["reportId"])), filed.json["reportId"])
    check("the same evidence is the same report", api.call(REPORT, request, bob.access["chat"]).json, filed.json)
    check("the sender may report too", api.call(REPORT, request, alice.access["chat"]).status, 200)

    forged_body = {**evidence, "body": base64.b64encode(body + b"!").decode()}
    head, claims, signature = event["receipt"].split(".")
    forged_signature = {**evidence, "receipt": f"{head}.{claims}.{('B' if signature[0] == 'A' else 'A') + signature[1:]}"}
    for what, forged in (("body", forged_body), ("receipt", forged_signature)):
        refused = api.call(REPORT, {"messages": [evidence, forged]}, bob.access["chat"])
        check(f"a forged {what} is refused", (refused.status, refused.code), (400, "invalid_argument"))
        check("naming its index", [field.startswith("messages[1]") for field in refused.fields], [True])
        check("in a BadRequest", refused.detail(BadRequest) is not None)
    stranger = Person(api)
    socket = stranger.connect("chat")
    refused = api.call(REPORT, request, stranger.access["chat"])
    check("a stranger to the conversation reports nothing", (refused.status, refused.code), (400, "invalid_argument"))
    socket.close()


def close_codes(api: Api) -> None:
    for what, token in (("a token that nobody issued", b"\x07" * 1024), ("a token of another length", b"\x07" * 1000), ("an empty token", b"")):
        socket = api.socket("chat")
        socket.send(token)
        check(f"{what} is 4401", socket.close_code(), 4401)
    person = Person(api)
    socket = api.socket("account")
    socket.send(person.refresh["chat"])
    check("a token of the other service is 4401", socket.close_code(), 4401)
    socket = api.socket("chat")
    socket.send("hello")
    check("a Text frame for a token is 4400", socket.close_code(), 4400)
    socket = api.socket("chat")
    socket.send(b"\x07" * 1025)
    check("over 1024 bytes for a token is 1009, or just ends", socket.close_code() in (1006, 1009))
    for what, frame, codes in (
        ("a Text frame", "hello", (4400,)),
        ("a frame that is no ClientFrame", b"\xff", (4400,)),
        ("a frame of zeros", bytes(16), (4400,)),
        ("a frame over 128 KiB", bytes(131073), (1006, 1009)),
    ):
        socket = person.connect("chat")
        socket.send(frame)
        check(f"{what} is {' or '.join(map(str, codes))}", socket.close_code() in codes)
    socket = person.connect("chat")
    check("and the session is intact", socket.call(PENDING, chat_message("ListPendingRequest")()).code, 0)
    socket.close()


def logout(api: Api) -> None:
    person = Person(api)
    socket = person.connect("account", "chat")
    check("logout", api.call(LOGOUT, {}, person.access["account"]).status, 200)
    check("closes the session's sockets with 4401", socket.close_code(), 4401)
    check("ends its access tokens", dies(api, person.access["account"]))
    refused = api.socket("chat")
    refused.send(person.refresh["chat"])
    check("and its refresh tokens", refused.close_code(), 4401)


def main() -> int:
    api = Api(sys.argv[1])
    for chapter in (login, http_order, upgrades, exchange, delivery, close_codes, logout):
        print(f"# {chapter.__name__}", flush=True)
        try:
            chapter(api)
        except Exception as fault:  # noqa: BLE001: whatever it is, the walk ends here
            print(f"not ok  {type(fault).__name__}: {fault}", flush=True)
            return 1
    print("all checks passed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
