"""The application: a web page to draw digits on, and the JSON API behind it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from deep_mnist import __version__
from deep_mnist.errors import ImageError
from deep_mnist.serving import predictions, schemas
from deep_mnist.serving.middleware import FILE_TYPES, Security

STATIC = Path(__file__).parent / "static"
MAX_WAITING = 8  # requests that wait for a thread; the next one gets 503
IN_MEMORY = 1_000_000  # bytes of an image file; a larger one is received into a temporary file
DESCRIPTION = """
A request that fails gets `{"error": "what was expected and found"}`: 400 for an invalid body or
query, 403 for another site's page, 411 without a length, 413 for a large body, 415 for an unknown
type, 422 for an image without a digit, and 503 with Retry-After for too many requests at a time.
"""
ERROR = {"model": schemas.Error, "description": "The request fails"}
FILE = {"type": "string", "format": "binary"}
BODIES = {
    "application/json": {"$ref": "#/components/schemas/Pixels"},
    "multipart/form-data": {"type": "object", "properties": {"picture": FILE}},
    **dict.fromkeys(("image/*", "application/octet-stream"), FILE),
}
PREDICT_BODY = {"required": True, "content": {kind: {"schema": s} for kind, s in BODIES.items()}}
INVALID = (RequestValidationError, ValidationError)


def create_app(models: predictions.Models, host: str | None) -> FastAPI:
    """Return the application for loaded models; `host` is that of `Security`."""
    app = FastAPIOffline(
        title="deep_mnist",
        description=DESCRIPTION,
        version=__version__,
        openapi_url="/api/openapi.json",
        redoc_url=None,
        redirect_slashes=False,
        responses={"4XX": ERROR, "5XX": ERROR},
    )
    for exception in (*INVALID, ImageError, HTTPException, ClientDisconnect, Exception):
        app.add_exception_handler(exception, _error_response)
    app.add_middleware(Security, host=host)
    app.mount("/web", StaticFiles(directory=STATIC))
    description = predictions.describe(models)
    image_threads = CapacityLimiter(1)  # limits the memory: one image is decoded at a time
    model_threads = CapacityLimiter(os.cpu_count() or 1)

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        """The server responds."""
        return {"status": "ok"}

    @app.get("/api/models", response_model=schemas.Models)
    async def list_models() -> Any:
        """The models, in the order of their predictions."""
        return description

    @app.post(
        "/api/predict",
        response_model=schemas.Prediction,
        response_model_exclude_none=True,
        openapi_extra={"requestBody": PREDICT_BODY},
    )
    async def predict(request: Request, pixels: Literal["0", "1"] = "0") -> Any:
        """Classify the digits in an image file, or 28x28 pixels.

        A file may have several digits, dark on light or light on dark; each is segmented, scaled
        and centred as in MNIST. Pixels are used as they are. ?pixels=1 adds the models' input.
        """
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type == "application/json":
            body = schemas.Pixels.model_validate_json(await request.body())
            found = predictions.single_digit(body.pixels)
        else:
            async with _image_file(request, content_type) as file:
                found = await _run(image_threads, lambda: predictions.find_digits(file.read()))
        digits = await _run(model_threads, lambda: predictions.classify(models, found))
        if pixels == "1":
            for digit, image in zip(digits, found.images.round(4).tolist(), strict=True):
                digit["pixels"] = image
        return {"size": found.size, "digits": digits}

    @app.post("/api/feature-maps", response_model=schemas.FeatureMaps)
    async def feature_maps(body: schemas.Pixels) -> Any:
        """The feature maps of the CNN's convolutional layers for 28x28 pixels."""
        return await _run(model_threads, lambda: predictions.feature_maps(models, body.pixels))

    return app


async def _run(threads: CapacityLimiter, function: Callable[[], Any]) -> Any:
    if threads.statistics().tasks_waiting >= MAX_WAITING:
        raise HTTPException(503, "too many requests at a time; try again", {"Retry-After": "1"})
    return await to_thread.run_sync(function, limiter=threads)


@asynccontextmanager
async def _image_file(request: Request, content_type: str) -> AsyncIterator[IO[bytes]]:
    """Receive the image file of a request, from a form or as its body."""
    if content_type == "multipart/form-data":
        async with request.form(max_files=1, max_fields=10) as form:
            files = [value for value in form.values() if isinstance(value, UploadFile)]
            if not files:
                raise HTTPException(400, "expected a form with a file (curl -F picture=@FILE)")
            yield files[0].file
    elif content_type.startswith(FILE_TYPES):
        with SpooledTemporaryFile(IN_MEMORY) as file:
            async for chunk in request.stream():
                file.write(chunk)
            file.seek(0)
            yield file
    else:
        expected = "application/json, multipart/form-data or image/png, image/jpeg, ..."
        raise HTTPException(415, f"Content-Type: expected {expected}, found {content_type[:80]!r}")


async def _error_response(request: Request, error: Exception) -> JSONResponse:
    """Return the response {"error": "what was expected and found"}."""
    status, message, headers = 500, "internal error; see the server's standard error", None
    if isinstance(error, HTTPException):
        status, message, headers = error.status_code, error.detail, error.headers
    elif isinstance(error, ImageError):
        status, message = 422, "; ".join(filter(None, (error.message, error.hint)))
    elif isinstance(error, INVALID):
        status, message = 400, _describe(error.errors()[0])
    return JSONResponse({"error": message}, status, headers)


def _describe(error: Any) -> str:
    """Return an error of pydantic on one line: `pixels[5]: Input should be ..., found 255`."""
    if error["type"] == "json_invalid":
        return f"body: invalid JSON, {error['ctx']['error']}"
    parts = [part for part in error["loc"] if part not in ("body", "query", "flat", "square")]
    where = "".join(f"[{part}]" if isinstance(part, int) else part for part in parts)
    hint = "; divide pixels from 0 to 255 by 255" if error["type"] == "less_than_equal" else ""
    return f"{where or 'body'}: {error['msg']}, found {repr(error['input'])[:40]}{hint}"
