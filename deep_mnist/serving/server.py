"""Uvicorn, with the time limit for requests that it lacks."""

import asyncio
import logging
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 20
MIN_BYTES = 100_000  # in REQUEST_SECONDS, of a body that takes longer


class TimedProtocol(H11Protocol):
    """Closes a connection without progress for REQUEST_SECONDS to twice as long.

    Progress is the end of a request's headers, of its body or of its response, or MIN_BYTES
    received. The time in which the application processes a request does not count.
    """

    received = 0  # bytes since the last check

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer."""
        super().connection_made(transport)
        self._check_progress(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes."""
        self.received += len(data)
        super().data_received(data)

    def _check_progress(self, before: Any) -> None:
        theirs, ours = self.conn.their_state, self.conn.our_state
        state = self.cycle, theirs, ours
        is_processed = theirs is not h11.SEND_BODY and ours is h11.SEND_RESPONSE
        if state == before and self.received < MIN_BYTES and not is_processed:
            self.transport.abort()
        self.received = 0
        self._timer = self.loop.call_later(REQUEST_SECONDS, self._check_progress, state)


def create_server(app: ASGIApp) -> uvicorn.Server:
    """Return a server of the application. Mistakes of its clients are not logged."""
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=TimedProtocol,
            ws="none",
            lifespan="off",
            limit_concurrency=200,  # connections
            timeout_graceful_shutdown=2,
            log_level="critical",
        )
    )
