"""Serve a web page to draw digits on, classified by four models while you draw, and its JSON API.

    python -m deep_mnist.serve                       http://127.0.0.1:8000
    curl -F picture=@digit.png http://127.0.0.1:8000/api/predict

Only this machine can reach it, unless --host is given. /docs describes the API.
Needs the extra [web].
"""

from __future__ import annotations

import importlib.util
import ipaddress
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np

from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.cli.flags import HelpFormatter, Parser
from deep_mnist.errors import DeepMnistError
from deep_mnist.inference import PROGRAMS, load_model
from deep_mnist.lazy_tensorflow import import_quietly

REQUIRED = ("fastapi", "fastapi_offline", "python_multipart", "cv2", "PIL", "uvicorn")
PUBLIC = "warning: with --host {} everyone on the network can use the page, without a password"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return exit_code("serve", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> None:
    prog = "python -m deep_mnist.serve"
    parser = Parser(prog, description=__doc__, formatter_class=HelpFormatter, allow_abbrev=False)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address, 0.0.0.0 for all (default: 127.0.0.1)")
    add("--port", type=int, default=8000, help="port; 0 for a free one (default: 8000)")
    options = parser.parse_args(argv)
    if not 0 <= options.port <= 65535:
        parser.error(f"argument --port: expected 0 to 65535, found {options.port}")
    if any(importlib.util.find_spec(module) is None for module in REQUIRED):
        hint = 'install them with: pip install "deep_mnist[web]"'
        raise DeepMnistError("the web page needs FastAPI, uvicorn, OpenCV and Pillow", hint=hint)
    with _listen(options.host, options.port) as listener:
        _serve(listener, options.host)


def _serve(listener: socket.socket, host: str) -> None:
    from deep_mnist.serving.app import create_app
    from deep_mnist.serving.server import create_server

    import_quietly()
    address, port, *_ = listener.getsockname()
    is_loopback = ipaddress.ip_address(address).is_loopback
    host_in_url = f"[{host}]" if ":" in host else host
    with ExitStack() as stack:
        models = {
            name: stack.enter_context(load_model(name, intra_op_threads=1)) for name in PROGRAMS
        }
        for model in models.values():  # the first run of a graph is slow
            model.predict_proba(np.zeros(784))
            model.feature_maps(np.zeros(784))
        server = create_server(create_app(models, host_in_url if is_loopback else None))
        if not is_loopback:
            print(PUBLIC.format(host), file=sys.stderr)
        print(f"http://{host_in_url}:{port} (Ctrl-C stops it)", flush=True)
        server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """Listen before the models are loaded, so that a port in use is reported at once."""
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server((host, port), family=family)
        # asyncio sets this only where the protocol was given; without it, bodies wait 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, UnicodeError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).partition(" (")[0]
        hint = "choose another address with --host, or another port with --port"
        raise DeepMnistError(f"cannot listen on {host}, port {port}: {reason}", hint=hint) from None


if __name__ == "__main__":
    sys.exit(main())
