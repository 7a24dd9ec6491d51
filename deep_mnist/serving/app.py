"""The application: a page to draw on, and the JSON API that it calls."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, NotFound

from deep_mnist import __version__
from deep_mnist.data import image
from deep_mnist.serving import bodies, hosts
from deep_mnist.serving.gate import BusyError, Gate
from deep_mnist.serving.reader import Reader

WEB = Path(__file__).parents[1] / "web"
AT_ONCE = os.cpu_count() or 1
WAITING = 16
PATIENCE = 10.0  # seconds in the queue
THREADS = AT_ONCE + WAITING + 4  # the last ones tell that the queue is full, and send the page

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create(reader: Reader, listening_on: str, gate: Gate | None = None) -> Flask:
    """The application of a server that listens on the host `listening_on`.

    Every answer but the page and its parts is JSON; one of a status from 400 on is
    `{"error": "one line"}`.
    """
    app = Flask("deep_mnist", static_folder=str(WEB), static_url_path="/web")
    app.config["MAX_CONTENT_LENGTH"] = bodies.MAX_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    gate = gate or Gate(AT_ONCE, WAITING, PATIENCE)
    description = json.loads((WEB / "openapi.json").read_text("utf-8"))
    description["info"]["version"] = __version__

    @app.before_request
    def check_host() -> None:
        if not hosts.is_ours(request.headers.get("Host", ""), listening_on):
            abort(403, "Host: this server goes by another name; start it with --host NAME")

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        if response.mimetype == "application/json":
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    def page() -> Response:
        return app.send_static_file("index.html")

    @app.get("/healthz")
    def health() -> Response:
        return jsonify(status="ok")

    @app.get("/api/openapi.json")
    def openapi() -> Response:
        return jsonify(description)

    @app.get("/api/models")
    def list_models() -> Response:
        return jsonify(models=reader.models())

    @app.post("/api/predict")
    def predict() -> Response:
        file = bodies.picture(request)
        if file is None:
            pixels = bodies.pixels(request)
            with gate.turn():
                size, digits = (28, 28), reader.read(pixels[None], [(0, 0, 28, 28)])
        else:
            with gate.turn():
                size, digits = _read_picture(reader, file)
        return jsonify(size=size, digits=digits)

    @app.post("/api/feature-maps")
    def feature_maps() -> Response:
        pixels = bodies.pixels(request)
        with gate.turn():
            layers = reader.feature_maps(pixels)
        return jsonify(layers=layers)

    @app.errorhandler(image.PictureError)
    def no_digit(error: image.PictureError) -> tuple[Response, int]:
        return jsonify(error=f"picture: {error}"), 422

    @app.errorhandler(BusyError)
    def busy(error: BusyError) -> tuple[Response, int, dict[str, str]]:
        return (
            jsonify(error="busy: too many requests at a time; try again"),
            503,
            {"Retry-After": "1"},
        )

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        said = error.description
        if isinstance(error, NotFound):
            said = "there is nothing here; /api/openapi.json lists what there is"
        elif isinstance(error, MethodNotAllowed):
            said = (
                f"expected {' or '.join(sorted(error.valid_methods or ()))}, found another method"
            )
        elif isinstance(error, InternalServerError):
            said = "internal error; the server's own output tells more"
        response = jsonify(error=said)
        response.status_code = error.code or 500
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response

    return app


def _read_picture(reader: Reader, file: bytes) -> tuple[tuple[int, int], list[dict[str, Any]]]:
    picture = image.read(file)
    digits = image.digits(picture)
    return (picture.width, picture.height), reader.read(
        np.stack([digit.pixels for digit in digits]), [digit.box for digit in digits]
    )
