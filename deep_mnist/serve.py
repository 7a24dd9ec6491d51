"""A page to draw a digit on, read by all four models while one draws, and its JSON API.

    python -m deep_mnist.serve                       http://127.0.0.1:8000
    curl -F picture=@digit.png http://127.0.0.1:8000/api/predict

Only this machine can reach it, unless --host says otherwise. /api/openapi.json describes the API.
Needs the extra [web].
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import socket
import sys
from collections.abc import Sequence

from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.cli.flags import Parser
from deep_mnist.errors import DeepMnistError, Interrupted
from deep_mnist.lazy_tensorflow import import_quietly

PICTURES_WAITING = 8  # one is decoded at a time, which bounds the memory
READ_AT_ONCE = os.cpu_count() or 1  # by the models, which use more threads
READ_WAITING = 16
PATIENCE = 10.0  # seconds in a queue
THREADS_BESIDE = 4  # they tell that a queue is full, and send the page

NEEDED = ("flask", "waitress", "PIL")
NOT_INSTALLED = 'the page needs Flask, waitress and Pillow: pip install "deep_mnist[web]"'
EVERYONE = (
    "serve: warning: with --host {host} whoever reaches this machine reaches the page: "
    "it asks for no password, and nothing is encrypted"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return exit_code("serve", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> None:
    parser = Parser(
        prog="python -m deep_mnist.serve",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on; 0.0.0.0 is every one that this machine has "
        "(default: 127.0.0.1, this machine alone)",
    )
    parser.add_argument(
        "--port", type=_port, default=8000, help="0 takes a free one (default: 8000)"
    )
    options = parser.parse_args(argv)
    if any(importlib.util.find_spec(module) is None for module in NEEDED):
        raise DeepMnistError(NOT_INSTALLED)
    with _listen(options.host, options.port) as listener:
        try:
            _serve(listener, options.host)
        except KeyboardInterrupt:
            raise Interrupted(signal.SIGINT, "stopped") from None
        except Interrupted as interrupted:
            raise Interrupted(interrupted.signal_number, "stopped") from None


def _serve(listener: socket.socket, host: str) -> None:
    from deep_mnist.serving import app, bodies, hosts, server
    from deep_mnist.serving.gate import Gate
    from deep_mnist.serving.reader import Reader

    import_quietly()
    with Reader() as reader:
        gates = app.Gates(
            pictures=Gate(1, PICTURES_WAITING, PATIENCE),
            models=Gate(READ_AT_ONCE, READ_WAITING, PATIENCE),
        )
        threads = sum(gate.places for gate in gates) + THREADS_BESIDE
        application = app.create(reader, host, gates)
        with server.running(
            application, listener, threads=threads, max_body=bodies.MAX_BYTES
        ) as loop:
            if not hosts.is_loopback(host):
                print(EVERYONE.format(host=host), file=sys.stderr)
            name = f"[{host}]" if ":" in host else host
            print(f"http://{name}:{listener.getsockname()[1]} (Ctrl-C stops it)", flush=True)
            while loop.is_alive():
                loop.join(1)  # on Windows no signal would end a wait without end


def _listen(host: str, port: int) -> socket.socket:
    """Takes the port before the models are loaded: nobody waits to hear that it is taken."""
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((host, port), family=family)
    except socket.gaierror as error:
        reason = error.strerror
    except OSError as error:
        reason = os.strerror(error.errno or 0)
    except UnicodeError:  # a name that no host can have
        reason = "Name or service not known"
    raise DeepMnistError(
        f"can't listen on {host}, port {port}: {reason}; choose others by --host and --port"
    )


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number from 0 up to 65535, found {text!r}")


if __name__ == "__main__":
    sys.exit(main())
