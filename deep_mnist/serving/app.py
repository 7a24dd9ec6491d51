"""The application: a page to draw on, and the JSON API that it calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from flask import Flask, Response, abort, jsonify, request, send_from_directory
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, NotFound

from deep_mnist import __version__
from deep_mnist.errors import ImageError
from deep_mnist.serving import bodies, hosts
from deep_mnist.serving.gate import BusyError, Gate
from deep_mnist.serving.reader import Reader
from deep_mnist.vision import image

WEB = Path(__file__).parent / "static"
PARTS = (".css", ".js", ".svg")  # of the page
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Gates(NamedTuple):
    """Two queues: what the models read in milliseconds does not wait for somebody's large photo."""

    pictures: Gate  # from a file to its digits
    models: Gate


def create(reader: Reader, listening_on: str, gates: Gates) -> Flask:
    """The application of a server that listens on the host `listening_on`.

    Every answer but the page and its parts is JSON; one of a status from 400 on is
    `{"error": "one line"}`.
    """
    app = Flask("deep_mnist", static_folder=None)
    app.url_map.merge_slashes = False  # by a redirect, which would be HTML
    app.config["MAX_CONTENT_LENGTH"] = bodies.MAX_BYTES
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    description = json.loads((WEB / "openapi.json").read_text("utf-8"))
    description["info"]["version"] = __version__

    @app.before_request
    def check_headers() -> None:
        if not hosts.is_ours(request.headers.get("Host", ""), listening_on):
            abort(403, "Host: this server goes by another name; start it with --host NAME")
        if hosts.comes_from_elsewhere(request.method, request.headers):
            abort(403, "Origin: expected this server's own page, found one from elsewhere")
        bodies.check_encoding(request)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        if response.mimetype == "application/json":
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    def page() -> Response:
        return send_from_directory(WEB, "index.html")

    @app.get("/web/<name>")
    def part(name: str) -> Response:
        if not name.endswith(PARTS):
            abort(404)
        return send_from_directory(WEB, name)

    @app.get("/healthz")
    def health() -> Response:
        return jsonify(status="ok")

    @app.get("/api/openapi.json")
    def openapi() -> Response:
        return jsonify(description)

    @app.get("/api/models")
    def list_models() -> Response:
        return jsonify(reader.models())

    @app.post("/api/predict")
    def predict() -> Response:
        with_pixels = bodies.wants_pixels(request)
        file = bodies.picture(request)
        if file is not None:
            size, found = gates.pictures.run(lambda: _digits(file))
        else:
            pixels = bodies.pixels(request)
            bodies.check_ink(pixels)
            size, found = (28, 28), [image.Digit(pixels, (0, 0, 28, 28))]
        digits = gates.models.run(lambda: _read(reader, found))
        if with_pixels:
            for digit, seen in zip(digits, found, strict=True):
                digit["pixels"] = [round(value, 4) for value in seen.pixels.tolist()]
        return jsonify(size=size, digits=digits)

    @app.post("/api/feature-maps")
    def feature_maps() -> Response:
        pixels = bodies.pixels(request)
        return jsonify(layers=gates.models.run(lambda: reader.feature_maps(pixels)))

    @app.errorhandler(ImageError)
    def no_digit(error: ImageError) -> tuple[Response, int]:
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


def _digits(file: bytes) -> tuple[tuple[int, int], list[image.Digit]]:
    picture = image.read(file)
    return (picture.width, picture.height), image.digits(picture)


def _read(reader: Reader, found: list[image.Digit]) -> list[dict[str, Any]]:
    return reader.read(np.stack([digit.pixels for digit in found]), [digit.box for digit in found])
