"""The server of the web page and its API: responses, errors, limits, and how it stops."""

import contextlib
import errno
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import jsonschema
import numpy as np
import pytest
from PIL import Image, ImageDraw

from deep_mnist import inference, serve
from deep_mnist.errors import ImageError
from deep_mnist.serving import app, predictions, server

BLANK = [0] * 784
STROKE = {"pixels": [*BLANK[1:], 1]}


class FakeClassifier:
    """A classifier that predicts 7 for every image, at once."""

    def __init__(self, name):
        self.program = inference.PROGRAMS[name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def predict_proba(self, images):
        probabilities = np.full((len(images), 10), 0.01)
        probabilities[:, 7] = 0.91
        return probabilities

    def feature_maps(self, images):
        return [np.zeros((1, 28, 28, 32)), np.zeros((1, 14, 14, 64))]

    def weights(self):
        return {"W": np.zeros((784, 10))}


FAKES = {name: FakeClassifier(name) for name in inference.PROGRAMS}


class Response(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    content: bytes

    @property
    def json(self):
        return json.loads(self.content)


class Client(NamedTuple):
    port: int

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read())

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def post(self, path, body, content_type="image/png", **headers):
        return self.request("POST", path, body, {"Content-Type": content_type, **headers})

    def post_json(self, path, value):
        return self.post(path, json.dumps(value), "application/json")


@contextlib.contextmanager
def running(models=FAKES, host="127.0.0.1", **limits):
    """Run a server; the limits are options of uvicorn."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uvicorn_server = server.create_server(app.create_app(models, host))
        for name, value in limits.items():
            setattr(uvicorn_server.config, name, value)
        thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Client(listener.getsockname()[1])
        finally:
            uvicorn_server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def client():
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def trained():
    """The trained models."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(inference.load_model(name)) for name in inference.PROGRAMS}


@pytest.fixture(scope="module")
def trained_client(trained):
    with running(trained) as started:
        yield started


def picture(*digits, **options):
    """A PNG with zeros (ellipses) and ones (lines), black on white, 100 pixels apart."""
    image = Image.new("RGB", (20 + 100 * len(digits), 140), "white")
    draw = ImageDraw.Draw(image)
    for left, digit in enumerate(digits):
        x = 20 + 100 * left
        if digit == 0:
            draw.ellipse((x, 20, x + 70, 120), outline="black", width=12)
        else:
            draw.line((x + 35, 20, x + 35, 120), fill="black", width=12)
    file = io.BytesIO()
    image.save(file, **{"format": "PNG", **options})
    return file.getvalue()


def form(*files, **fields):
    """The body and the Content-Type of a form."""
    parts = [f'name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    for name, content in files:
        parts.append(b'name="%s"; filename="x.png"\r\n\r\n%s\r\n' % (name.encode(), content))
    head = b"--x\r\nContent-Disposition: form-data; "
    return b"".join(head + part for part in parts) + b"--x--", "multipart/form-data; boundary=x"


def error(response, status):
    """The message of an error, after checks of what all errors have in common."""
    assert response.status == status, response.content
    assert response.headers["Content-Type"] == "application/json"
    assert list(response.json) == ["error"]
    message = response.json["error"]
    assert "\n" not in message
    assert not re.search(r"(?<!\w)/(?!api/)\w", message), "a path"
    return message


# Predictions --------------------------------------------------------------------


def test_the_models_classify_two_digits_in_an_image(trained_client):
    response = trained_client.post("/api/predict", *form(("picture", picture(0, 1))))
    assert response.status == 200
    assert response.json["size"] == [220, 140]
    zero, one = response.json["digits"]
    assert (zero["label"], one["label"]) == (0, 1)
    assert zero["box"] == pytest.approx([20, 20, 71, 101], abs=4)
    assert one["box"] == pytest.approx([149, 20, 12, 101], abs=4)
    assert list(zero["models"]) == ["softmax", "cnn", "mlp", "fnn"]
    assert zero["models"]["cnn"]["label"] == 0
    assert sum(zero["models"]["cnn"]["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert zero["probability"] == max(zero["models"]["cnn"]["probabilities"])


def test_responses_fit_the_openapi_schema(trained_client):
    schema = trained_client.get("/api/openapi.json").json
    digits = trained_client.post("/api/predict?pixels=1", picture(0)).json["digits"]
    pixels = json.dumps({"pixels": digits[0]["pixels"]})
    as_json = "application/json"
    for method, path, body, status in [
        ("get", "/api/models", (), 200),
        ("get", "/healthz", (), 200),
        ("post", "/api/predict", (picture(1, 0),), 200),
        ("post", "/api/predict", (pixels, as_json), 200),
        ("post", "/api/predict?pixels=1", (pixels, as_json), 200),
        ("post", "/api/predict", (json.dumps({"pixels": BLANK}), as_json), 422),
        ("post", "/api/predict", (b"not an image",), 422),
        ("post", "/api/predict", ('{"pixels": []}', as_json), 400),
        ("post", "/api/predict", ("x", "text/plain"), 415),
        ("post", "/api/feature-maps", (pixels, as_json), 200),
        ("post", "/api/feature-maps", ("5", as_json), 400),
    ]:
        response = getattr(trained_client, method)(path, *body)
        assert response.status == status, response.content
        responses = schema["paths"][path.split("?")[0]][method]["responses"]
        described = responses[str(status) if status == 200 else "4XX"]
        expected = described["content"]["application/json"]["schema"]
        jsonschema.validate(response.json, {**expected, "components": schema["components"]})


def test_the_models_are_listed(trained_client):
    listed = trained_client.get("/api/models").json
    cnn = next(model for model in listed["models"] if model["name"] == listed["default"])
    assert cnn == {
        "name": "cnn",
        "title": "CNN",
        "summary": "two convolutional and two fully connected layers",
        "parameters": 3_274_634,
        "test_accuracy": 0.9969,
    }


def test_a_response_is_short_unless_the_pixels_are_requested(trained_client):
    short = trained_client.post("/api/predict", picture(0))
    assert len(short.content) < 800
    long = trained_client.post("/api/predict?pixels=1", picture(0))
    [digit] = long.json["digits"]
    assert len(digit.pop("pixels")) == 784
    assert [digit] == short.json["digits"]
    message = error(trained_client.post("/api/predict?pixels=yes", picture(0)), 400)
    assert message == "query.pixels: Input should be '0' or '1', found 'yes'"


def test_the_pixels_of_a_response_are_classified_as_the_image_was(trained_client):
    first = trained_client.post("/api/predict?pixels=1", picture(0)).json["digits"][0]
    for pixels in (first["pixels"], np.reshape(first["pixels"], (28, 28)).tolist()):
        again = trained_client.post_json("/api/predict?pixels=1", {"pixels": pixels}).json
        assert again["size"] == [28, 28]
        assert again["digits"][0]["box"] == [0, 0, 28, 28]
        assert again["digits"][0]["pixels"] == first["pixels"]
        assert again["digits"][0]["models"]["cnn"]["label"] == 0


def test_feature_maps_are_scaled_to_the_largest_value_of_the_layer(trained_client):
    pixels = np.eye(28).tolist()
    layers = trained_client.post_json("/api/feature-maps", {"pixels": pixels}).json["layers"]
    assert [(layer["name"], layer["size"], len(layer["maps"])) for layer in layers] == [
        ("h_conv1", 28, 32),
        ("h_conv2", 14, 64),
    ]
    for layer in layers:
        assert all(len(values) == layer["size"] ** 2 for values in layer["maps"])
        assert max(map(max, layer["maps"])) == 255
        assert min(map(min, layer["maps"])) == 0


def test_eight_threads_predict_what_one_does(trained):
    rng = np.random.default_rng(0)
    images = [predictions.single_digit((0.8 * rng.random(784)).tolist())[1] for _ in range(40)]
    expected = [predictions.classify(trained, image) for image in images]
    wrong = []

    def compare():
        wrong.extend(
            i
            for i, image in enumerate(images)
            if predictions.classify(trained, image) != expected[i]
        )

    threads = [threading.Thread(target=compare) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Bodies -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        (picture(1),),
        (picture(1), "application/octet-stream"),
        (picture(1, format="JPEG"), "image/jpeg"),
        (picture(1, format="GIF"), "image/png"),  # the content decides
        (picture(1, format="BMP") + bytes(2_000_000),),  # is received into a file
        form(("anything", picture(1))),
        form(("picture", picture(1)), comment="a one"),
        (json.dumps({"pixels": [*BLANK[1:], 1]}), "application/json"),
        (json.dumps({"pixels": [[0, 0.5] * 14] * 28}), "Application/JSON; charset=utf-8"),
    ],
)
def test_a_digit_is_sent_as_pixels_or_as_an_image_file(client, body):
    response = client.post("/api/predict", *body)
    assert response.status == 200, response.content
    assert response.json["digits"][0]["label"] == 7


def replaced(index, text):
    pixels = [*BLANK[:index], "HERE", *BLANK[index + 1 :]]
    return json.dumps({"pixels": pixels}).replace('"HERE"', text)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"pixels": [0,\n 0,]}', "body: invalid JSON, "),
        ("[" * 100_000, ""),
        ("\xff", ""),
        ("null", "body: "),
        ("{}", "pixels: Field required, found {}"),
        (json.dumps({"pixels": BLANK, "model": 1}), "model: Extra inputs are not permitted"),
        (json.dumps({"a\nb": 1, "pixels": BLANK}), ": Extra inputs are not permitted, found 1"),
        (json.dumps({"\ud800": 1, "pixels": BLANK}), ""),
        (json.dumps({"x" * 9000: 1, "pixels": BLANK}), "xxx"),
        ('{"pixels": "x"}', "pixels.784: Input should be a valid "),
        ('{"pixels": [1, 0]}', "pixels.784: List should have at least 784 items"),
        ('{"pixels": [[1, 0]]}', "pixels.28x28.0: List should have at least 28 items"),
        (replaced(5, "255"), "pixels.784.5: Input should be less than or equal to 1, found 255"),
        (
            replaced(5, "1.0000001"),
            "pixels.784.5: Input should be less than or equal to 1, found 1.0",
        ),
        (
            replaced(0, "-0.1"),
            "pixels.784.0: Input should be greater than or equal to 0, found -0.1",
        ),
        (replaced(3, "NaN"), "pixels.784.3: Input should be a finite number, found nan"),
        (replaced(3, "-Infinity"), "pixels.784.3: Input should be a finite number, found -inf"),
        (replaced(3, "1e999"), "pixels.784.3: Input should be a finite number, found inf"),
        (replaced(3, "9" * 5000), ""),
        (replaced(783, "true"), "pixels.784.783: Input should be a valid number, found True"),
        (replaced(1, '"0"'), "pixels.784.1: Input should be a valid number, found '0'"),
        (replaced(1, "null"), "pixels.784.1: Input should be a valid number, found None"),
        (replaced(1, f'"{"x" * 500}\\n"'), "found 'xxx"),
    ],
)
@pytest.mark.parametrize("path", ["/api/predict", "/api/feature-maps"])
def test_invalid_pixels_are_an_error_with_the_reason(client, path, body, message):
    response = client.post(path, body.encode("latin-1"), "application/json")
    assert message in error(response, 400)
    assert len(response.content) < 200


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ((b"",), 422, ""),
        ((b"GIF89a",), 422, ""),
        ((picture(),), 422, ""),
        ((picture(1)[:90],), 422, ""),
        ((b"x", "text/plain"), 415, "image/jpeg, ..., found 'text/plain'"),
        ((picture(1), ""), 415, "found ''"),
        ((picture(1), "application/x-www-form-urlencoded"), 415, "multipart/form-data"),
        (form(picture="text"), 400, "expected a form with a file (curl -F picture=@FILE)"),
        (form(picture="x" * 2_000_000), 400, ""),
        (form(**{f"field{i}": "x" for i in range(50)}), 400, "Too many fields"),
        (form(("a", b"x"), ("b", b"x")), 400, "Too many files. Maximum number of files is 1."),
        ((b"--x\r\nbroken", "multipart/form-data; boundary=x"), 400, ""),
        ((b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--", form()[1]), 400, "name"),
        ((b"x", "multipart/form-data"), 400, "Missing boundary in multipart."),
        ((b"{}", "application/json; charset=x"), 400, "pixels: Field required"),
        (
            (json.dumps({"pixels": BLANK}), "application/json"),
            422,
            "pixels: expected a digit, found a blank image",
        ),
        ((json.dumps({"pixels": [0.97, 1] * 392}), "application/json"), 422, "found a blank image"),
        (
            (json.dumps({"pixels": [1] * 700 + [0] * 84}), "application/json"),
            422,
            "if they are inverted, pass 1 - images",
        ),
        ((b" " * 200_001, "application/json"), 413, "at most 200000 bytes, found 200001"),
        ((b"x" * 20_000_001,), 413, "expected at most 20000000 bytes, found 20000001"),
    ],
)
def test_a_body_that_is_not_an_image_is_an_error(client, body, status, message):
    assert message in error(client.post("/api/predict", *body), status)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/web/../serve.py", 404),
        ("GET", "/web/%2e%2e/serve.py", 404),
        ("GET", "/web//etc/passwd", 404),
        ("GET", "/api//models", 404),
        ("GET", "/api/models/", 404),
        ("GET", "/web/", 404),
        ("GET", "/web/none.js", 404),
        ("OPTIONS", "/api/predict", 405),
        ("GET", "/api/predict", 405),
        ("POST", "/healthz", 405),
        ("DELETE", "/api/models", 405),
        ("TRACE", "/", 405),
    ],
)
def test_unknown_paths_and_methods_are_errors_in_json(client, method, path, status):
    response = client.request(method, path)
    error(response, status)
    assert ("Allow" in response.headers) == (status == 405)


def test_an_unexpected_exception_is_printed_by_the_server_only(capfd):
    class Broken(FakeClassifier):
        def predict_proba(self, images):
            raise RuntimeError("/home/user/secret")

    with running({**FAKES, "fnn": Broken("fnn")}) as client:
        response = client.post("/api/predict", picture(1))
    assert error(response, 500) == "internal error; see the server's standard error"
    assert "secret" in capfd.readouterr().err


def test_the_api_is_robust_against_generated_requests(client, tmp_path):
    """Pass all checks of Schemathesis. tests/robustness/fuzz.py tests the trained models longer."""
    pytest.importorskip("schemathesis")
    config = Path(__file__).parent / "robustness" / "schemathesis.toml"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run"]
    command += [f"http://127.0.0.1:{client.port}/api/openapi.json", "--seed", "1"]
    command += ["--max-examples", "5", "--checks", "all"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


# Other hosts and sites ------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "host", "status"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 200),
        ("localhost:8000", "127.0.0.1", 200),
        ("LOCALHOST.", "127.0.0.1", 200),
        ("[::1]:8000", "::1", 200),
        ("127.0.0.2", "127.0.0.2", 200),
        ("", "127.0.0.1", 403),
        ("evil.example:8000", "127.0.0.1", 403),
        ("localhost.evil.example", "127.0.0.1", 403),
        ("127.0.0.1.evil.example", "127.0.0.1", 403),
        ("[::1", "127.0.0.1", 403),
        ("evil@localhost", "127.0.0.1", 403),
        ("localhost/x", "127.0.0.1", 403),
        ("localhost#a", "127.0.0.1", 403),
        ("localhost:evil", "127.0.0.1", 403),
        ("localhost:8000:8000", "127.0.0.1", 403),
        ("[::1]evil.example", "127.0.0.1", 403),
        ("192.168.1.5:8000", "127.0.0.1", 403),
        ("192.168.1.5:8000", None, 200),
        ("digits.example", None, 200),
    ],
)
def test_the_host_header_of_a_loopback_server_must_be_its_own(header, host, status):
    with running(host=host) as client:
        for path in ("/", "/healthz", "/web/page.js"):
            response = client.get(path, Host=header)
            assert response.status == status
            if status == 403:
                assert "expected the name of this server" in error(response, 403)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),  # a form
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "http://localhost@evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_pages_of_other_sites_cannot_send_requests(client, headers, status):
    body = form(("picture", picture(1)))
    response = client.post("/api/predict", *body, Host="localhost", **headers)
    assert response.status == status
    if status == 403:
        assert error(response, 403) == (
            "Origin: expected this server's own page, found another site"
        )


def test_behind_the_reverse_proxy_of_the_documentation(client):
    page = Path(__file__).parents[1].joinpath("docs", "serve.md").read_text("utf-8")
    assert '    proxy_set_header Host localhost;\n    proxy_set_header Origin "";\n' in page
    for site, status in (("same-origin", 200), ("cross-site", 403)):
        headers = {"Host": "localhost", "Sec-Fetch-Site": site}  # nginx omits an empty header
        assert client.post("/api/predict", picture(1), **headers).status == status


def test_a_link_on_another_site_opens_the_page(client):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", **headers).status == 200


def test_every_response_forbids_guessed_types_and_content_of_other_sites(client, monkeypatch):
    def broken(*_):
        raise RuntimeError

    monkeypatch.setattr(predictions, "classify", broken)
    responses = {path: client.get(path) for path in ("/", "/web/page.js", "/api/models", "/no")}
    responses["refused"] = client.get("/", Host="evil.example")
    responses["broken"] = client.post_json("/api/predict", STROKE)
    assert [response.status for response in responses.values()] == [200, 200, 200, 404, 403, 500]
    for response in responses.values():
        headers = response.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
        )
        assert "Access-Control-Allow-Origin" not in headers


def test_the_page_loads_nothing_from_other_sites(client):
    for path in sorted(app.STATIC.iterdir()):
        url = "/" if path.name == "index.html" else f"/web/{path.name}"
        response = client.get(url)
        assert response.status == 200
        elsewhere = rb"https?://(?!127\.0\.0\.1|www\.w3\.org/2000/svg)"
        assert re.findall(elsewhere, response.content) == [], path.name
    page = client.get("/").content
    assert not re.search(rb"\sstyle=|\son\w+=|<script>|<style>", page)


def test_the_documentation_of_the_api_loads_nothing_from_other_sites(client):
    page = client.get("/docs").content.decode()
    parts = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(parts) >= 2
    for part in parts:
        assert part.startswith("/")
        assert client.get(part).status == 200


# Overload -------------------------------------------------------------------------


@pytest.fixture
def blocked(monkeypatch):
    """Image files are processed until `release` is set; `entered` is set when the first one is."""

    class Blocked(NamedTuple):
        entered: threading.Event
        release: threading.Event

    events = Blocked(threading.Event(), threading.Event())

    def find_digits(file):
        events.entered.set()
        events.release.wait(20)
        raise ImageError("found at last")

    monkeypatch.setattr(predictions, "find_digits", find_digits)
    monkeypatch.setattr(app, "MAX_WAITING", 1)
    yield events
    events.release.set()


@pytest.fixture
def blocked_client(blocked):
    with running() as client:
        yield client
        blocked.release.set()


def test_too_many_images_at_a_time_are_503_and_pixels_do_not_wait(blocked, blocked_client):
    client, responses = blocked_client, []

    def post():
        responses.append(client.post("/api/predict", b"photo"))

    threads = [threading.Thread(target=post) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert blocked.entered.wait(20)
    deadline = time.monotonic() + 15
    while not responses and time.monotonic() < deadline:
        time.sleep(0.01)
    [refused] = responses  # one is processed, one waits
    assert "too many requests" in error(refused, 503)
    assert refused.headers["Retry-After"] == "1"
    assert client.post_json("/api/predict", STROKE).status == 200
    assert client.get("/healthz").status == 200
    blocked.release.set()
    for thread in threads:
        thread.join()
    assert [error(response, 422) for response in responses[1:]] == ["found at last"] * 2


def test_too_many_connections_are_503():
    def wait_for(status):
        deadline = time.monotonic() + 20
        while client.get("/healthz").status != status:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    with running(limit_concurrency=3) as client, contextlib.ExitStack() as stack:
        address = ("127.0.0.1", client.port)
        idle = [stack.enter_context(socket.create_connection(address)) for _ in range(2)]
        wait_for(503)
        idle.pop().close()
        wait_for(200)


# On the socket ----------------------------------------------------------------------


def talk(port, *parts, pause=0.0):
    """Send the parts with a pause between them; return all that comes back, and the seconds."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        received = b""
        with contextlib.suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            if not pause:
                connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65_536):
                received += chunk
    return received, time.monotonic() - start


POST = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"411"),
        (POST + b"Content-Length: 20000001\r\n\r\n" + b"x" * 3_000_000, b"413"),
        (POST + b"Content-Length: 99999999999999999999\r\n\r\n", b"413"),
        (POST + b"Expect: 100-continue\r\nContent-Length: 20000001\r\n\r\n", b"413"),
        (POST + b"Content-Length: -1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000, b"400"),
        (b"not HTTP at all\r\n\r\n", b"400"),
    ],
)
def test_requests_are_refused_before_their_body_is_sent(client, request_, status):
    response, _ = talk(client.port, request_)
    assert response.split(b" ")[1] == status


@pytest.mark.parametrize(
    "start",
    [b"", b"GET / HTTP/1.1\r\n", POST + b"Content-Length: 1000\r\n\r\n"],
    ids=["nothing", "headers", "body"],
)
def test_a_connection_without_progress_is_closed(start, monkeypatch):
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.5)
    with running() as client:
        response, seconds = talk(client.port, start, *[b"X: y\r\n"] * 30, pause=0.2)
        assert response == b""
        assert seconds < 4
        assert talk(client.port, pause=0.1)[1] < 4  # not a single byte


def test_a_slow_but_steady_upload_is_received(monkeypatch):
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.4)
    head = POST + b"Connection: close\r\nContent-Length: 4000000\r\n\r\n"
    with running() as client:
        response, seconds = talk(client.port, head, *[bytes(200_000)] * 20, pause=0.1)
    assert response.startswith(b"HTTP/1.1 422 ")
    assert seconds > 2


def test_a_request_that_waits_for_others_is_not_closed(blocked, blocked_client, monkeypatch):
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.2)
    responses = []

    def post():
        responses.append(blocked_client.post("/api/predict", b"photo"))

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert blocked.entered.wait(20)
    time.sleep(1)
    blocked.release.set()
    for thread in threads:
        thread.join()
    assert [error(response, 422) for response in responses] == ["found at last"] * 2


def test_mistakes_of_clients_are_not_printed_by_the_server(client, capfd):
    error(client.post("/api/predict", b"--x\r\n\xc2: 1\r\n\r\n\r\n--x--", form()[1]), 400)
    talk(client.port, b"not HTTP at all\r\n\r\n")
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", client.port)) as connection:
            connection.sendall(POST + b"Content-Length: 1000\r\n\r\n" + b"x" * 500)
            time.sleep(0.1)
    assert client.get("/healthz").status == 200
    assert capfd.readouterr().err == ""


def test_it_stops_during_a_request_that_does_not_end(capfd):
    with running(timeout_graceful_shutdown=0.2) as client:
        connection = socket.create_connection(("127.0.0.1", client.port))
        connection.sendall(POST + b"Content-Length: 1000\r\n\r\n" + b"x" * 500)
        time.sleep(0.3)
        start = time.monotonic()
    assert time.monotonic() - start < 5
    connection.close()
    assert capfd.readouterr().err == ""


def test_events_of_the_servers_lifespan_are_not_requests():
    with running(lifespan="on") as client:
        assert client.get("/healthz").status == 200


def test_a_connection_is_kept_for_the_next_request(client):
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=10)
    for _ in range(3):
        connection.request("POST", "/api/predict", picture(1), {"Content-Type": "image/png"})
        assert json.load(connection.getresponse())["digits"][0]["label"] == 7
    connection.close()


# The command --------------------------------------------------------------------


def fails(capsys, *arguments):
    assert serve.main(list(arguments)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(r"error: serve: [^\n]+\n(hint: [^\n]+\n)?", printed.err)
    return printed.err


def test_a_port_in_use_is_reported_before_the_models_are_loaded(capsys):
    reason = os.strerror(errno.EADDRINUSE)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert fails(capsys, "--port", port) == (
            f"error: serve: cannot listen on 127.0.0.1, port {port}: {reason}\n"
            "hint: choose another address with --host, or another port with --port\n"
        )


def test_mistakes_on_the_command_line(capsys):
    assert "--port: expected 0 to 65535, found 65536" in fails(capsys, "--port", "65536")
    assert "--port: invalid int value: 'eight'" in fails(capsys, "--port", "eight")
    assert "unrecognized arguments: 8000" in fails(capsys, "8000")
    for host in ("a..b", "a\udcff"):
        assert "port 8000: " in fails(capsys, "--host", host)


def test_without_its_packages_it_names_the_extra(capsys, monkeypatch):
    monkeypatch.setattr(serve, "REQUIRED", ("no_such_package",))
    assert fails(capsys) == (
        "error: serve: the web page needs FastAPI, uvicorn, OpenCV and Pillow\n"
        'hint: install them with: pip install "deep_mnist[web]"\n'
    )


def test_every_package_of_the_extra_is_required():
    """A package that setup.py adds to [web] needs its module in serve.REQUIRED."""
    modules = {
        "opencv-python-headless": "cv2",
        "pillow": "PIL",
        "fastapi": "fastapi",
        "fastapi-offline": "fastapi_offline",
        "python-multipart": "python_multipart",
        "uvicorn": "uvicorn",
    }
    text = Path(__file__).parents[1].joinpath("setup.py").read_text("utf-8")
    lists = dict(re.findall(r"^(PREDICT|WEB) = \[(.+?)\]$", text, re.M | re.S))
    assert "*PREDICT" in lists["WEB"]
    packages = re.findall(r'"([a-z-]+)>=', lists["PREDICT"] + lists["WEB"])
    assert set(serve.REQUIRED) == {modules[package] for package in packages}


@pytest.mark.parametrize(
    ("host", "url", "status"),
    [
        ("localhost", "http://localhost:", 403),
        ("LOCALHOST", "http://LOCALHOST:", 403),
        ("127.1", "http://127.1:", 403),
        ("0:0:0:0:0:0:0:1", "http://[0:0:0:0:0:0:0:1]:", 403),
        ("127.example.org", "http://127.example.org:", 200),  # resolves to 0.0.0.0 in this test
        ("0.0.0.0", "http://0.0.0.0:", 200),
    ],
)
def test_only_a_loopback_address_is_closed_to_other_names(host, url, status, capsys, monkeypatch):
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6")
    if host == "127.example.org":
        monkeypatch.setattr(serve, "_listen", lambda *_: socket.create_server(("0.0.0.0", 0)))
    monkeypatch.setattr(serve, "load_model", lambda name, **threads: FakeClassifier(name))
    create_server, statuses = server.create_server, []

    def visited_once(application):
        created = create_server(application)

        def visit():
            while not created.started:
                time.sleep(0.01)
            address = created.servers[0].sockets[0].getsockname()
            own = url.removeprefix("http://") + str(address[1])
            for name in (own, "evil.example"):
                connection = http.client.HTTPConnection(*address[:2], timeout=30)
                connection.request("GET", "/healthz", headers={"Host": name})
                statuses.append(connection.getresponse().status)
                connection.close()
            created.should_exit = True

        threading.Thread(target=visit, daemon=True).start()
        return created

    monkeypatch.setattr(server, "create_server", visited_once)
    assert serve.main(["--host", host, "--port", "0"]) == 0
    assert statuses == [200, status]
    printed = capsys.readouterr()
    assert printed.out.startswith(url)
    assert printed.err == (
        ""
        if status == 403
        else f"warning: with --host {host} everyone on the network can use the page, "
        "without a password\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="a signal there ends the process at once")
@pytest.mark.parametrize(
    ("number", "code", "host"),
    [(signal.SIGINT, 130, "127.0.0.1"), (signal.SIGTERM, 143, "0.0.0.0")],
)
def test_a_signal_stops_it(number, code, host, capsys, monkeypatch):
    monkeypatch.setattr(serve, "load_model", lambda name, **threads: FakeClassifier(name))

    def send_when_it_runs():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if getattr(signal.getsignal(number), "__name__", "") == "handle_exit":  # uvicorn's
                time.sleep(0.3)
                os.kill(os.getpid(), number)
                return
            time.sleep(0.05)

    threading.Thread(target=send_when_it_runs).start()
    assert serve.main(["--host", host, "--port", "0"]) == code
    printed = capsys.readouterr()
    assert re.fullmatch(rf"http://{host}:\d+ \(Ctrl-C stops it\)\n", printed.out)
    warning = printed.err.removesuffix("serve: stopped\n")
    assert warning != printed.err
    assert ("everyone on the network can use the page" in warning) == (host == "0.0.0.0")
    assert (warning == "") == (host == "127.0.0.1")
