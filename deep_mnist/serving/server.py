"""Uvicorn, with the time limit for requests that it lacks."""

import asyncio
import logging
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 20


class TimedProtocol(H11Protocol):
    """Closes a connection without progress for REQUEST_SECONDS to twice as long.

    Progress is the end of a request's headers, of its body or of its response.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer."""
        super().connection_made(transport)
        self._check_progress(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._timer.cancel()
        super().connection_lost(exc)

    def _check_progress(self, before: Any) -> None:
        state = self.cycle, self.conn.their_state, self.conn.our_state
        if state == before:
            self.transport.abort()
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
