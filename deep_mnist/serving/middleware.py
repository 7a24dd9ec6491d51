"""Checks of a request's headers, and headers that secure every response."""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9._-]+?)\.?(:[0-9]{1,5})?")
FILE_TYPES = ("image/", "multipart/form-data", "application/octet-stream")
MAX_FILE_BYTES = 20_000_000
MAX_JSON_BYTES = 200_000  # 784 numbers of up to twenty digits, indented
POLICY = (
    "default-src 'none'; script-src 'self'{0}; style-src 'self'{0}; connect-src 'self'; "
    "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Security:
    """Refuses requests from pages of other sites, and with large bodies.

    A site can point its own name to 127.0.0.1 after its page is loaded (DNS rebinding); only the
    Host header still shows it. So it must be `host`, or another loopback name, unless that is None.
    """

    def __init__(self, app: ASGIApp, host: str | None) -> None:
        self.app = app
        self.names = host and {"localhost", "127.0.0.1", "[::1]", host.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                inline = " 'unsafe-inline'" if scope["path"] == "/docs" else ""  # of Swagger UI
                headers = {**HEADERS, "Content-Security-Policy": POLICY.format(inline)}
                MutableHeaders(scope=message).update(headers)
            await send(message)

        refused = self._refuse(scope["method"], Headers(scope=scope))
        app = JSONResponse({"error": refused[1]}, refused[0]) if refused else self.app
        await app(scope, receive, send_with_headers)

    def _refuse(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """Return the status and the error of a request that is refused."""
        host, origin = headers.get("host", "").lower(), headers.get("origin")
        name = HOST.fullmatch(host)
        if self.names and not (name and name[1] in self.names):
            return 403, "Host: expected the name of this server; see --host"
        is_link = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
        is_own = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        is_own &= origin is None or origin.lower() in (f"http://{host}", f"https://{host}")
        if not (is_own or is_link):
            return 403, "Origin: expected this server's own page, found another site"
        if "transfer-encoding" in headers:
            return 411, "expected a Content-Length header, found Transfer-Encoding"
        is_file = headers.get("content-type", "").lower().startswith(FILE_TYPES)
        limit = MAX_FILE_BYTES if is_file else MAX_JSON_BYTES
        size = int(headers.get("content-length", 0))
        return (413, f"expected at most {limit} bytes, found {size}") if size > limit else None
