"""waitress, held to a time for every request, its own refusals in JSON like all others."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask
from waitress.utilities import BadRequest, RequestEntityTooLarge, RequestHeaderFieldsTooLarge

REQUEST_SECONDS = 20  # for a whole request to arrive, and for a connection to stand idle
FAREWELL_SECONDS = 2  # for a client that was refused to stop sending, and to read why
MAX_HEADER_BYTES = 16_384
MAX_CONNECTIONS = 200


@contextmanager
def running(
    app: Callable[..., Any], listener: socket.socket, *, threads: int, max_body: int
) -> Iterator[threading.Thread]:
    """Answers what comes in at a listening socket while the body of the `with` runs.

    Yields the thread of the loop. It is not the main one: waitress would swallow what the handler
    of a signal raises there. Answers under way are finished before the socket is closed.
    """
    logging.getLogger("waitress").setLevel(logging.ERROR)
    connections: dict[int, Any] = {}
    server = create_server(
        app,
        map=connections,
        sockets=[listener],
        threads=threads,
        ident=None,
        channel_timeout=REQUEST_SECONDS,
        cleanup_interval=1,
        connection_limit=MAX_CONNECTIONS,
        max_request_header_size=MAX_HEADER_BYTES,
        max_request_body_size=max_body + 1,  # the first size that is refused
    )
    server.channel_class = Channel
    loop = threading.Thread(target=server.run, name="serving", daemon=True)
    loop.start()
    try:
        yield loop
    finally:
        server.task_dispatcher.shutdown()
        server.trigger.pull_trigger(lambda: wasyncore.close_all(connections))
        loop.join()


class LengthRequired(BadRequest):  # type: ignore[misc]
    code = 411
    reason = "Length Required"


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses a body whose length is not told beforehand, and tells so before it is sent."""

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            most = self.adj.max_request_body_size - 1
            self.error.body = (
                f"expected at most {most} bytes, found {self.content_length}; "
                "make the picture smaller"
            )
        elif isinstance(self.error, RequestHeaderFieldsTooLarge):
            self.error.body = f"expected at most {MAX_HEADER_BYTES} bytes, found more"
        if self.error:
            self.expect_continue = False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        sends = self.command in ("POST", "PUT", "PATCH")
        if self.chunked or (sends and "CONTENT_LENGTH" not in self.headers):
            self.error = LengthRequired("expected a Content-Length header")
            self.completed = True


class Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to a request that did not get as far as the application."""

    def execute(self) -> None:
        error = self.request.error
        self.channel.refused = True
        self.status = f"{error.code} {error.reason}"
        body = json.dumps({"error": f"{error.reason}: {error.body}"}).encode()
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        self.content_length = len(body)
        self.set_close_on_finish()
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that can't be held open by sending slowly, and closes so that it is heard."""

    parser_class = Parser
    error_task_class = Refusal
    last_activity: float
    refused = False
    farewell = False

    def handle_read(self) -> None:
        """The clock runs from the first byte of a request, not from the latest."""
        since = self.last_activity
        under_way = self.farewell or self.request is not None
        super().handle_read()
        if under_way:
            self.last_activity = since

    def received(self, data: bytes) -> bool:
        return not self.farewell and bool(super().received(data))

    def readable(self) -> bool:
        return self.farewell or bool(super().readable())

    def handle_close(self) -> None:
        """Waits for a client that is still sending: a reset would overtake the answer to it."""
        if self.refused and not self.farewell:
            self.farewell = True
            self.will_close = False
            self.last_activity = time.time() - REQUEST_SECONDS + FAREWELL_SECONDS
            try:
                self.socket.shutdown(socket.SHUT_WR)
                return
            except OSError:
                pass  # it has gone already
        super().handle_close()
