"""TDLib by its JSON interface, and how it is led into the sandbox: https://core.telegram.org/tdlib/docs

Its key is a text in the library, and its data centres have fixed addresses. So a copy of the library has our
key in place of those of its own that are as long, and a proxy leads to us.
"""

import ctypes
import json
import os
import re
import time
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

_KEY = re.compile(rb"-----BEGIN RSA PUBLIC KEY-----[^-]+-----END RSA PUBLIC KEY-----")
PATIENCE_S = 60.0


def _library(folder: Path, public_key: Path) -> Path:
    found = find_spec("tdjson")
    assert found is not None
    assert found.origin is not None
    (original,) = Path(found.origin).parents[1].glob("tdjson.libs/libtdjson-*.so.*")
    ours = public_key.read_bytes().strip()
    content = original.read_bytes()
    as_long = [theirs for theirs in _KEY.findall(content) if len(theirs) == len(ours)]
    assert as_long
    for theirs in as_long:
        content = content.replace(theirs, ours)
    copy = folder / "libtdjson.so"
    copy.write_bytes(content)
    return copy


class Tdlib:
    """One client. `call` answers, `wait` gives the next update that fits; both raise TimeoutError."""

    def __init__(self, place: Any, name: str) -> None:
        folder = Path(place["folder"])
        self._library = ctypes.CDLL(os.fspath(_library(folder, Path(place["public_key_path"]))))
        self._library.td_receive.restype = ctypes.c_char_p
        self._library.td_receive.argtypes = [ctypes.c_double]
        self._library.td_send.argtypes = [ctypes.c_int, ctypes.c_char_p]
        # errors: what TDLib thinks wrong in the answers that it gets
        quiet = {"@type": "setLogVerbosityLevel", "new_verbosity_level": 1}
        self._library.td_execute.argtypes = [ctypes.c_char_p]
        self._library.td_execute(json.dumps(quiet).encode())
        self._client = self._library.td_create_client_id()
        self._numbers = count(1)
        self._updates: list[Any] = []
        socks = {"@type": "proxyTypeSocks5", "username": "", "password": ""}
        proxy = {"@type": "proxy", "server": "127.0.0.1", "port": place["proxy_port"], "type": socks}
        self._send("addProxy", proxy=proxy, enable=True)
        self.call(
            "setTdlibParameters",
            database_directory=os.fspath(folder / name),
            api_id=place["api_id"],
            api_hash=place["api_hash"],
            system_language_code="en",
            device_model="test",
            application_version="1",
        )

    def _send(self, method: str, **fields: Any) -> int:
        number = next(self._numbers)
        request = {"@type": method, "@extra": number, **fields}
        self._library.td_send(self._client, json.dumps(request).encode())
        return number

    def _receive(self) -> Any:
        """The next answer or update; None: nothing came for a second."""
        received = self._library.td_receive(1.0)
        return json.loads(received) if received else None

    def call(self, method: str, **fields: Any) -> Any:
        """The answer to a call; an error of TDLib's is raised as AssertionError."""
        number, end = self._send(method, **fields), time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            event = self._receive()
            if event is not None and event.get("@extra") == number:
                assert event["@type"] != "error", (method, event)
                return event
            if event is not None:
                self._updates.append(event)
        raise TimeoutError(method)

    def wait(self, kind: str, patience_s: float = PATIENCE_S) -> Any:
        """The next update of this kind; those before it are passed over."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            event = self._updates.pop(0) if self._updates else self._receive()
            if event is not None and event["@type"] == kind:
                return event
        raise TimeoutError(kind)

    def until(self, state: str) -> None:
        """Wait until the login has come so far."""
        while self.wait("updateAuthorizationState")["authorization_state"]["@type"] != state:
            pass

    def log_out(self) -> None:
        """End the login; TDLib then destroys its key, and says that it is closed."""
        self.call("logOut")
        self.until("authorizationStateClosed")

    def send(self, chat_id: int, content: Any) -> Any:
        """Send a message, and give it as it was sent."""
        self.call("sendMessage", chat_id=chat_id, input_message_content=content)
        return self.wait("updateMessageSendSucceeded")["message"]

    def message(self) -> Any:
        """The next message of somebody else."""
        while (message := self.wait("updateNewMessage")["message"])["is_outgoing"]:
            pass
        return message

    def downloaded(self, message: Any) -> Path:
        """The file of a message, on this machine."""
        file = message["content"]["document"]["document"]
        done = self.call("downloadFile", file_id=file["id"], priority=32, offset=0, limit=0, synchronous=True)
        return Path(done["local"]["path"])


def text(words: str) -> Any:
    """The content of a message of words."""
    return {"@type": "inputMessageText", "text": {"@type": "formattedText", "text": words}}


def document(path: str) -> Any:
    """The content of a message with a file."""
    file = {"@type": "inputFileLocal", "path": path}
    inner = {"@type": "inputDocument", "document": file, "disable_content_type_detection": True}
    return {"@type": "inputMessageDocument", "document": inner}
