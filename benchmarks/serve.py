"""Load test of `deep_mnist.serve`, and the page's latency from a stroke to its prediction.

    python benchmarks/serve.py                       needs the extras [web] and [browser]

Sixteen clients send valid and invalid requests over loopback for a minute, each the next as soon
as the last is answered. For another minute, hostile clients join them: they hold connections
without a request, send headers or bodies byte by byte, half of a body, 16 MB of noise, or small
files that decode to huge images. When they have stopped, the time to the first prediction is
measured. Then Chromium draws on the page: measured is the time from lifting the pen to the last
change of the bars. Writes results/serve.json.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import random
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import report
from PIL import Image, ImageDraw

CLIENTS = 16
SECONDS = 60
WARM_UP_SECONDS = 10
STROKES = 60
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]

Request = tuple[str, str, bytes, dict[str, str]]
Attack = Callable[[socket.socket], str]


def main() -> None:
    command = [sys.executable, "-m", "deep_mnist.serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[0]
        try:
            port = int(url.rpartition(":")[2])
            load = load_test(port, server.pid, {})
            hostile = load_test(port, server.pid, HOSTILE)
            hostile["seconds_to_recover"] = seconds_to_predict(port)
            latency = stroke_latency(url)
        finally:
            server.terminate()
    report.write("serve", {"load": load, "hostile_load": hostile, "stroke_to_bars": latency})


# Load ---------------------------------------------------------------------------


def requests() -> dict[str, tuple[Request, int]]:
    """Return by name: a request, and its expected status; 503 is accepted, too."""
    digit = Image.new("L", (280, 280), 255)
    ImageDraw.Draw(digit).ellipse((90, 50, 190, 230), outline=0, width=22)
    photo = digit.resize((1600, 1600))
    kinds = {name: io.BytesIO() for name in ("PNG", "JPEG")}
    digit.save(kinds["PNG"], "PNG")
    photo.save(kinds["JPEG"], "JPEG")
    png, jpeg = (kinds[name].getvalue() for name in ("PNG", "JPEG"))
    pixels = json.dumps({"pixels": [0, 0.5] * 392}).encode()
    nan = pixels.replace(b"0.5", b"NaN", 1)
    blank = json.dumps({"pixels": [0] * 784}).encode()
    other_origin = {"Content-Type": "image/png", "Origin": "http://evil.example"}
    as_json, as_png = ({"Content-Type": kind} for kind in ("application/json", "image/png"))
    chunked = {**as_json, "Transfer-Encoding": "chunked"}
    return {
        "pixels": (("POST", "/api/predict", pixels, as_json), 200),
        "drawing": (("POST", "/api/predict", png, as_png), 200),
        "large photo": (("POST", "/api/predict", jpeg, as_png), 200),
        "feature maps": (("POST", "/api/feature-maps", pixels, as_json), 200),
        "models": (("GET", "/api/models", b"", {}), 200),
        "page": (("GET", "/", b"", {}), 200),
        "NaN": (("POST", "/api/predict", nan, as_json), 400),
        "malformed JSON": (("POST", "/api/predict", b"{", as_json), 400),
        "blank": (("POST", "/api/predict", blank, as_json), 422),
        "other origin": (("POST", "/api/predict", png, other_origin), 403),
        "truncated image": (("POST", "/api/predict", png[:200], as_png), 422),
        "unsupported type": (("POST", "/api/predict", b"5", {"Content-Type": "text/plain"}), 415),
        "other host": (("GET", "/", b"", {"Host": "evil.example"}), 403),
        "unknown path": (("GET", "/nothing", b"", {}), 404),
        "unsupported method": (("DELETE", "/api/models", b"", {}), 405),
        "too large": (("POST", "/api/predict", b" " * 300_000, as_json), 413),
        "no length": (("POST", "/api/predict", b"1\r\n{\r\n0\r\n\r\n", chunked), 411),
    }


def load_test(
    port: int,
    pid: int,
    hostile: dict[str, tuple[Attack, int]],
    *,
    clients: int = CLIENTS,
    seconds: int = SECONDS,
) -> dict[str, Any]:
    """Return counts, latencies by request in ms, and the server's resident memory.

    Args:
      port: the server's.
      pid: the server's.
      hostile: by name, what a client does again and again, and the number of such clients.
      clients: number of other clients.
      seconds: duration after the warm-up.
    """
    kinds = requests()
    milliseconds: dict[str, list[float]] = defaultdict(list)
    statuses: Counter[int] = Counter()
    unexpected: Counter[str] = Counter()
    lock = threading.Lock()
    end = time.monotonic() + WARM_UP_SECONDS + seconds

    def client(seed: int) -> None:
        rng = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < end:
            name = rng.choice(list(kinds))
            request, expected = kinds[name]
            start = time.perf_counter()
            status = send(connection, request)
            elapsed = 1e3 * (time.perf_counter() - start)
            with lock:
                statuses[status] += 1
                if status == expected:
                    milliseconds[name].append(elapsed)
                elif status != 503:
                    unexpected[f"{name}: {status}"] += 1
        connection.close()

    attacks: Counter[str] = Counter()

    def attacker(name: str, attack: Attack) -> None:
        while time.monotonic() < end:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), timeout=60) as connection,
            ):
                status = attack(connection)
                with lock:
                    attacks[f"{name}: {status or 'closed'}"] += 1

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(clients)]
    for name, (attack, count) in hostile.items():
        threads += [threading.Thread(target=attacker, args=(name, attack)) for _ in range(count)]
    for thread in threads:
        thread.start()
    time.sleep(WARM_UP_SECONDS)
    memory = [resident_mb(pid)]
    while time.monotonic() < end:
        time.sleep(5)
        memory.append(resident_mb(pid))
    for thread in threads:
        thread.join()
    return {
        "clients": clients,
        "seconds": seconds + WARM_UP_SECONDS,
        "requests": statuses.total(),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "unexpected": dict(unexpected),
        **({"hostile": dict(sorted(attacks.items()))} if hostile else {}),
        "milliseconds": {name: spread(milliseconds[name]) for name in kinds},
        "resident_mb": {"after_warm_up": memory[0], "highest": max(memory), "end": memory[-1]},
    }


# Hostile clients ------------------------------------------------------------------

HEAD = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
NOISE = random.Random(0).randbytes(16_000_000)


def status_of(connection: socket.socket) -> str:
    """Return the status of the response; "" if the server closes the connection without one."""
    received = connection.recv(65_536)
    return received.split(b" ")[1].decode() if received else ""


def idle(connection: socket.socket) -> str:
    return status_of(connection)


def drip(connection: socket.socket, content: bytes) -> str:
    """Send a byte every 200 ms until the server closes the connection, for at most a minute."""
    connection.settimeout(0.2)
    for i in range(300):
        connection.send(content[i % len(content) :][:1])
        with contextlib.suppress(TimeoutError):
            return status_of(connection)
    return "still open"


def slow_headers(connection: socket.socket) -> str:
    connection.sendall(HEAD)
    return drip(connection, b"X: y\r\n")


def slow_body(connection: socket.socket) -> str:
    connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
    return drip(connection, b"x")


def half_body(connection: socket.socket) -> str:
    connection.sendall(HEAD + b"Content-Length: 16000000\r\n\r\n" + NOISE[:8_000_000])
    connection.settimeout(5)
    try:
        return status_of(connection)
    except TimeoutError:
        return "given up"


def post(content: bytes) -> Attack:
    def attack(connection: socket.socket) -> str:
        connection.sendall(HEAD + f"Content-Length: {len(content)}\r\n\r\n".encode() + content)
        return status_of(connection)

    return attack


def bomb(side: int) -> bytes:
    """Return a small PNG file of `side` x `side` black pixels."""
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    return file.getvalue()


HOSTILE: dict[str, tuple[Attack, int]] = {
    "idle": (idle, 20),
    "slow headers": (slow_headers, 20),
    "slow body": (slow_body, 20),
    "half of 16 MB": (half_body, 8),
    "16 MB of noise": (post(NOISE), 4),
    "400 megapixels": (post(bomb(20_000)), 2),
    "30 megapixels": (post(bomb(5_400)), 2),
    "30 MB": (post(NOISE + NOISE[:14_000_000]), 2),
}


def seconds_to_predict(port: int) -> float:
    """Return the seconds until a drawing is classified, with another try after every 503."""
    request, expected = requests()["drawing"]
    start = time.monotonic()
    while send(http.client.HTTPConnection("127.0.0.1", port, timeout=30), request) != expected:
        time.sleep(0.05)
    return round(time.monotonic() - start, 2)


def send(connection: http.client.HTTPConnection, request: Request) -> int:
    """Send a request, read the whole response and return its status; 0 if the connection fails."""
    method, path, body, headers = request
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        if "Transfer-Encoding" not in headers and "Content-Length" not in headers and body:
            connection.putheader("Content-Length", str(len(body)))
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0


def resident_mb(pid: int) -> int:
    """Return the resident memory of a process (Linux only)."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def spread(values: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and count."""
    if len(values) < 2:
        return {"count": len(values)}
    cuts = statistics.quantiles(values, n=100)
    return {"median": round(cuts[49], 1), "p95": round(cuts[94], 1), "count": len(values)}


# Strokes ------------------------------------------------------------------------

# The bars have their new lengths after the last change of the table.
OBSERVE = """() => {
    window.lifted = window.changed = 0;
    addEventListener("pointerup", () => (window.lifted = performance.now()), true);
    new MutationObserver(() => (window.changed = performance.now())).observe(
        document.querySelector("table"),
        { subtree: true, childList: true, attributes: true, characterData: true },
    );
}"""


def stroke_latency(url: str) -> dict[str, Any]:
    """Return the ms from lifting the pen at the end of a stroke to the last change of the bars."""
    from playwright import sync_api

    rng = random.Random(0)
    times: list[float] = []
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS
        )
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("#models th")
        box = page.locator("#drawing").bounding_box()
        assert box is not None
        page.evaluate(OBSERVE)
        for number in range(STROKES):
            if number % 3 == 0:
                page.click("#clear", force=True)
            x, y = (box[corner] + 180 + rng.uniform(-60, 60) for corner in ("x", "y"))
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + rng.uniform(-80, 80), y + rng.uniform(-80, 80), steps=6)
            page.mouse.up()
            page.wait_for_timeout(600)
            times.append(page.evaluate("changed - lifted"))
        version = browser.version
        browser.close()
    return {"chromium": version, "strokes": len(times), "milliseconds": spread(times)}


if __name__ == "__main__":
    main()
