"""Load test of `deep_mnist.serve`, and the page's latency from a stroke to its prediction.

    python benchmarks/serve.py                       needs the extras [web] and [browser]

Sixteen clients send valid and invalid requests over loopback for a minute, each the next as soon
as the last is answered. Then Chromium draws on the page: measured is the time from lifting the pen
to the last change of the bars. Writes results/serve.json.
"""

from __future__ import annotations

import http.client
import io
import json
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
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


def main() -> None:
    command = [sys.executable, "-m", "deep_mnist.serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[0]
        try:
            load = load_test(int(url.rpartition(":")[2]), server.pid)
            latency = stroke_latency(url)
        finally:
            server.terminate()
    report.write("serve", {"load": load, "stroke_to_bars": latency})


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
        "too large": (("POST", "/api/predict", b"", {"Content-Length": "30000000"}), 413),
        "no length": (("POST", "/api/predict", b"", {"Transfer-Encoding": "chunked"}), 411),
    }


def load_test(port: int, pid: int) -> dict[str, Any]:
    """Return counts, latencies by request in ms, and the server's resident memory."""
    kinds = requests()
    milliseconds: dict[str, list[float]] = defaultdict(list)
    statuses: Counter[int] = Counter()
    unexpected: Counter[str] = Counter()
    lock = threading.Lock()
    end = time.monotonic() + WARM_UP_SECONDS + SECONDS

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

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(CLIENTS)]
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
        "clients": CLIENTS,
        "seconds": SECONDS + WARM_UP_SECONDS,
        "requests": statuses.total(),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "unexpected": dict(unexpected),
        "milliseconds": {name: spread(milliseconds[name]) for name in kinds},
        "resident_mb": {"after_warm_up": memory[0], "highest": max(memory), "end": memory[-1]},
    }


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
        box = page.locator("#sheet").bounding_box()
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
