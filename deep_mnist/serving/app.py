"""The application: a web page to draw digits on, and the JSON API behind it."""

import asyncio
import os
import traceback
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from pydantic import ValidationError
from python_multipart.exceptions import ParseError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from deep_mnist import __version__
from deep_mnist.errors import ImageError, printable
from deep_mnist.serving import predictions, schemas
from deep_mnist.serving.middleware import FILE_TYPES, Security

STATIC = Path(__file__).parent / "static"
MAX_WAITING = 8  # requests; the next one gets 503
IN_MEMORY = 1_000_000  # bytes of an image file; a larger one is received into a temporary file
ERROR = {"model": schemas.Error, "description": "`error` has what was expected and what was found"}
FILE = {"type": "string", "format": "binary"}
FORM = {"type": "object", "properties": {"picture": FILE}, "required": ["picture"]}
BODIES = {  # FastAPI describes bodies of one type only
    "application/json": {"$ref": "#/components/schemas/Pixels"},
    "multipart/form-data": FORM,
    **{file_type: FILE for file_type in ("image/*", "application/octet-stream")},
}
BODY = {"required": True, "content": {kind: {"schema": BODIES[kind]} for kind in BODIES}}
INVALID = (RequestValidationError, ValidationError)


class Threads:
    """A few threads, for which a limited number of requests wait."""

    def __init__(self, count: int) -> None:
        self.executor = ThreadPoolExecutor(count)
        self.requests = asyncio.Semaphore(count + MAX_WAITING)

    async def run(self, function: Callable[[], Any]) -> Any:
        """Call a function in one of the threads; raise HTTPException if too many wait."""
        if self.requests.locked():
            raise HTTPException(503, "too many requests at a time; try again", {"Retry-After": "1"})
        async with self.requests:
            return await asyncio.get_running_loop().run_in_executor(self.executor, function)


def create_app(models: predictions.Models, host: str | None) -> ASGIApp:
    """Return the application for loaded models; `host` is that of `Security`."""
    app = FastAPIOffline(
        title="deep_mnist",
        version=__version__,
        openapi_url="/api/openapi.json",
        redoc_url=None,
        redirect_slashes=False,
        responses={"4XX": ERROR, "5XX": ERROR},
    )
    for exception in (*INVALID, ParseError, ImageError, HTTPException, ClientDisconnect, Exception):
        app.add_exception_handler(exception, _error_response)
    app.mount("/web", StaticFiles(directory=STATIC))
    description = predictions.describe(models)
    index = (STATIC / "index.html").read_text("utf-8")
    image_threads = Threads(1)  # limits the memory: one image is decoded at a time
    model_threads = Threads(os.cpu_count() or 1)

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(index)

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
        openapi_extra={"requestBody": BODY},
    )
    async def predict(request: Request, pixels: Literal["0", "1"] = "0") -> Any:
        """Classify the digits in an image file, or 28x28 pixels.

        A file may have several digits, dark on light or light on dark; each is segmented, scaled
        and centered as in MNIST. Pixels are used as they are. ?pixels=1 adds the models' input.
        """
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type == "application/json":
            body = schemas.Pixels.model_validate_json(await request.body())
            size, digits = predictions.single_digit(body.pixels)
        else:
            async with _image_file(request, content_type) as file:
                size, digits = await image_threads.run(lambda: predictions.find_digits(file.read()))
        predicted = await model_threads.run(lambda: predictions.classify(models, digits))
        if pixels == "1":
            for prediction, digit in zip(predicted, digits, strict=True):
                prediction["pixels"] = [round(pixel, 4) for pixel in digit.pixels.tolist()]
        return {"size": size, "digits": predicted}

    @app.post("/api/feature-maps", response_model=schemas.FeatureMaps)
    async def feature_maps(body: schemas.Pixels) -> Any:
        """The feature maps of the CNN's convolutional layers for 28x28 pixels."""
        return await model_threads.run(lambda: predictions.feature_maps(models, body.pixels))

    return Security(app, host)  # around FastAPI's own response to an unexpected exception, too


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
    """Return the response {"error": "what was expected and found, on one line"}."""
    headers = None
    if isinstance(error, HTTPException):
        status, message, headers = error.status_code, error.detail, error.headers
    elif isinstance(error, ImageError):
        status, message = 422, "; ".join(filter(None, (error.message, error.hint)))
    elif isinstance(error, ParseError):  # older versions of Starlette let it pass
        status, message = 400, f"body: {error}"
    elif isinstance(error, INVALID):
        first = error.errors()[0]
        path = ".".join(map(str, first["loc"])) or "body"  # such as pixels.784.5
        status, message = 400, f"{path:.40}: {first['msg']}, found {first['input']!r:.40}"
        if first["type"] == "json_invalid":
            message = f"body: invalid JSON, {first['ctx']['error']}"
    elif isinstance(error, ClientDisconnect):
        status, message = 400, "the body is incomplete"
    else:
        traceback.print_exception(error)
        status, message = 500, "internal error; see the server's standard error"
    return JSONResponse({"error": printable(message)}, status, headers)
