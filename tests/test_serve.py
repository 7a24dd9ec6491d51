"""The page's server and its API: what is answered, what is refused and how, how it ends."""

import http.client
import io
import json
import os
import re
import signal
import socket
import threading
import time

import jsonschema
import numpy as np
import pytest
from PIL import Image, ImageDraw

from deep_mnist import inference, serve
from deep_mnist.errors import ImageError
from deep_mnist.serving import app, bodies, gate, hosts, reader, server

BLANK = [0] * 784
ANSWER = {"label": 7, "probability": 0.9, "probabilities": [0.0] * 7 + [0.9, 0.1, 0.0]}


def application(reader, at_once=4, waiting=4):
    gates = app.Gates(gate.Gate(1, 4, 10), gate.Gate(at_once, waiting, 10))
    return app.create(reader, "127.0.0.1", gates)


class Stub:
    """A reader that says 7 to everything, at once."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read(self, images, boxes):
        return [
            {
                "label": 7,
                "probability": 0.9,
                "box": list(box),
                "models": {name: ANSWER for name in inference.PROGRAMS},
            }
            for _, box in zip(images, boxes, strict=True)
        ]

    def feature_maps(self, image):
        sides = {"h_conv1": (28, 32), "h_conv2": (14, 64)}
        return [
            {"name": name, "size": side, "maps": [[0] * side**2] * count}
            for name, (side, count) in sides.items()
        ]

    def models(self):
        return {"default": "cnn", "models": [{"name": name} for name in inference.PROGRAMS]}


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


@pytest.fixture(scope="module")
def client():
    return application(Stub()).test_client()


@pytest.fixture(scope="module")
def real():
    """The trained models."""
    with reader.Reader() as loaded:
        yield loaded


def error(response, status):
    assert response.status_code == status
    assert response.mimetype == "application/json"
    assert list(response.json) == ["error"]
    said = response.json["error"]
    assert "\n" not in said
    assert not re.search(r"(?<!\w)/(?!api/)", said), "a path"
    return said


# Reading ----------------------------------------------------------------------


def test_the_models_read_a_picture_with_two_digits(real):
    response = (
        application(real)
        .test_client()
        .post("/api/predict", data={"picture": (io.BytesIO(picture(0, 1)), "x.png")})
    )
    assert response.status_code == 200
    assert response.json["size"] == [220, 140]
    zero, one = response.json["digits"]
    assert (zero["label"], one["label"]) == (0, 1)
    assert zero["box"] == pytest.approx([20, 20, 71, 101], abs=4)
    assert one["box"] == pytest.approx([149, 20, 12, 101], abs=4)
    assert list(zero["models"]) == ["softmax", "cnn", "mlp", "fnn"]
    assert zero["models"]["cnn"]["label"] == 0
    assert sum(zero["models"]["cnn"]["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert zero["probability"] == max(zero["models"]["cnn"]["probabilities"])


def test_every_answer_is_as_the_description_says(real):
    client = application(real).test_client()
    description = client.get("/api/openapi.json").json
    digits = client.post("/api/predict?pixels=1", **png(picture(0))).json["digits"]
    pixels = {"pixels": digits[0]["pixels"]}
    for method, path, body, status in [
        ("get", "/api/models", {}, 200),
        ("get", "/healthz", {}, 200),
        ("post", "/api/predict", png(picture(1, 0)), 200),
        ("post", "/api/predict", {"json": pixels}, 200),
        ("post", "/api/predict?pixels=1", {"json": pixels}, 200),
        ("post", "/api/predict", {"json": {"pixels": BLANK}}, 422),
        ("post", "/api/predict", png(b"no picture"), 422),
        ("post", "/api/predict", {"json": {"pixels": []}}, 400),
        ("post", "/api/predict", {"data": "x", "content_type": "text/plain"}, 415),
        ("post", "/api/feature-maps", {"json": pixels}, 200),
        ("post", "/api/feature-maps", {"json": 5}, 400),
    ]:
        response = getattr(client, method)(path, **body)
        answers = description["paths"][path.split("?")[0]][method]["responses"]
        answer = answers[str(status)]
        if "$ref" in answer:
            answer = description["components"]["responses"][answer["$ref"].split("/")[-1]]
        schema = answer["content"]["application/json"]["schema"]
        assert response.status_code == status, response.json
        jsonschema.validate(response.json, {**schema, "components": description["components"]})
    said = client.get("/api/models").json
    cnn = next(model for model in said["models"] if model["name"] == said["default"])
    assert (cnn["title"], cnn["parameters"]) == ("CNN", 3_274_634)


def test_an_answer_is_short_unless_the_pixels_are_asked_for(real):
    client = application(real).test_client()
    short = client.post("/api/predict", **png(picture(0)))
    assert len(short.data) < 800
    long = client.post("/api/predict?pixels=1", **png(picture(0)))
    [digit] = long.json["digits"]
    assert len(digit.pop("pixels")) == 784
    assert [digit] == short.json["digits"]
    response = client.post("/api/predict?pixels=yes", **png(picture(0)))
    assert error(response, 400) == '?pixels: expected 0 or 1, found "yes"'


def test_pixels_of_an_answer_are_read_as_the_picture_was(real):
    client = application(real).test_client()
    first = client.post("/api/predict?pixels=1", **png(picture(0))).json["digits"][0]
    for pixels in (first["pixels"], np.reshape(first["pixels"], (28, 28)).tolist()):
        again = client.post("/api/predict?pixels=1", json={"pixels": pixels}).json
        assert again["size"] == [28, 28]
        assert again["digits"][0]["box"] == [0, 0, 28, 28]
        assert again["digits"][0]["pixels"] == first["pixels"]
        assert again["digits"][0]["models"]["cnn"]["label"] == 0


def test_feature_maps_are_scaled_to_the_layers_largest(real):
    layers = real.feature_maps(np.eye(28, dtype=np.float32).ravel())
    assert [(layer["name"], layer["size"], len(layer["maps"])) for layer in layers] == [
        ("h_conv1", 28, 32),
        ("h_conv2", 14, 64),
    ]
    for layer in layers:
        assert all(len(values) == layer["size"] ** 2 for values in layer["maps"])
        assert max(map(max, layer["maps"])) == 255
        assert min(map(min, layer["maps"])) == 0


def test_eight_threads_read_what_one_does(real):
    rng = np.random.default_rng(0)
    images = 0.8 * rng.random((40, 1, 784), np.float32)
    box = [(0, 0, 28, 28)]
    expected = [real.read(image, box) for image in images]
    wrong = []

    def compare():
        wrong.extend(i for i, image in enumerate(images) if real.read(image, box) != expected[i])

    threads = [threading.Thread(target=compare) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Bodies -----------------------------------------------------------------------


# The fields of a form, of which the first has no name.
NAMELESS = b"".join(
    b"--x\r\nContent-Disposition: form-data%s\r\n\r\n1\r\n" % name for name in (b"", b'; name="a"')
)


def png(content, kind="image/png"):
    return {"data": content, "content_type": kind}


@pytest.mark.parametrize(
    "body",
    [
        png(picture(1)),
        png(picture(1), "application/octet-stream"),
        png(picture(1, format="JPEG"), "image/jpeg"),
        png(picture(1, format="GIF"), "image/png"),  # the content decides
        {"data": {"anything": (io.BytesIO(picture(1)), "one.png")}},
        {"json": {"pixels": [*BLANK[1:], 1]}},
        {"json": {"pixels": [[0, 0.5] * 14] * 28}},
    ],
)
def test_a_digit_comes_as_pixels_or_as_a_picture(client, body):
    assert client.post("/api/predict", **body).json["digits"][0]["label"] == 7


def form(*values):
    head = '--x\r\nContent-Disposition: form-data; name="field"\r\n\r\n'
    body = "".join(f"{head}{value}\r\n" for value in values) + "--x--\r\n"
    return png(body.encode(), "multipart/form-data; boundary=x")


def replaced(index, text):
    return f'{{"pixels": {json.dumps([*BLANK[:index], "HERE", *BLANK[index + 1 :]])}}}'.replace(
        '"HERE"', text
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", 'expected JSON, {"pixels": [784 numbers]}, found no bytes'),
        ('{"pixels": [0,\n 0,]}', "found a mistake in line 2, column 4: Expecting value"),
        ("[" * 100_000, "found too many brackets in brackets"),
        ("\xff", "found bytes that are no UTF-8"),
        ("null", 'expected an object, {"pixels": [784 numbers]}, found null'),
        ("{}", "found the keys []"),
        ('{"pixels": [], "model": 1}', 'found the keys ["model", "pixels"]'),
        ('{"pixels": "x"}', 'pixels: expected 784 numbers, found "x"'),
        ('{"pixels": [1, 0]}', "pixels: expected 784 numbers, or 28 rows of 28, found 2 elements"),
        (replaced(5, "255"), "to 1 (ink), found 255; divide by 255"),
        (
            replaced(5, "1.0000001"),
            "pixels[5]: expected a number from 0 (paper) to 1 (ink), found ",
        ),
        (replaced(0, "-0.1"), "pixels[0]: expected a number from 0 (paper) to 1 (ink), found -0.1"),
        (replaced(3, "NaN"), "pixels: expected numbers from 0 (paper) to 1 (ink), found NaN"),
        (replaced(3, "-Infinity"), "found -Infinity"),
        (replaced(3, "1e999"), "pixels[3]: expected a number from 0 (paper) to 1 (ink), found Inf"),
        (replaced(3, "9" * 30), "found 1e+30"),
        (
            replaced(3, "9" * 5000),
            "pixels[3]: expected a number from 0 (paper) to 1 (ink), found Inf",
        ),
        (replaced(783, "true"), "pixels[783]: expected a number, found true"),
        (replaced(1, '"0"'), 'pixels[1]: expected a number, found "0"'),
        (replaced(1, "null"), "pixels[1]: expected a number, found null"),
        (replaced(1, f'"{"x" * 500}\\n"'), f'found "{"x" * 39} ...'),
    ],
)
@pytest.mark.parametrize("path", ["/api/predict", "/api/feature-maps"])
def test_pixels_that_are_none_are_refused_with_the_reason(client, path, body, message):
    response = client.post(path, data=body.encode("latin-1"), content_type="application/json")
    said = error(response, 400)
    assert message in said
    assert ("divide by 255" in said) == ("found 255" in said)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (png(b""), 400, "expected the bytes of a picture file, found none"),
        (png(b"GIF89a"), 422, "picture: "),
        (png(picture()), 422, "picture: "),
        (png(picture(1)[:90]), 422, "picture: "),
        (png(b"x", "text/plain"), 415, "found text/plain"),
        (png(picture(1), None), 415, "found no Content-Type"),
        (png(picture(1), "application/x-www-form-urlencoded"), 415, "curl -F picture=@FILE"),
        (
            {"data": {"picture": "text"}, "content_type": "multipart/form-data"},
            400,
            '(curl -F picture=@FILE), found 0 files and the fields ["picture"]',
        ),
        (form("x" * 2_000_000), 413, "or more than 500000 bytes in those that are no file"),
        (form(*["x"] * 1100), 413, "(curl -F picture=@FILE), found more than 1000 fields, or"),
        (
            {"data": {name: (io.BytesIO(b"x"), "x.png") for name in "ab"}},
            400,
            "expected one picture (curl -F picture=@FILE), found 2 files",
        ),
        (png(b"--x\r\nbroken", "multipart/form-data; boundary=x"), 400, "found 0"),
        (
            png(NAMELESS + b"--x--", "multipart/form-data; boundary=x"),
            400,
            'and the fields ["None", "a"]',
        ),
        (
            png(b"x", "multipart/form-data"),
            400,
            "multipart/form-data: expected a boundary in Content-Type, found none; let the client",
        ),
        (
            {**png(picture(1)), "headers": {"Content-Encoding": "gzip"}},
            415,
            'Content-Encoding: expected none, found "gzip"; send the body as it is',
        ),
        (
            {"json": {"pixels": BLANK}, "headers": {"Content-Encoding": "gzip"}},
            415,
            "Content-Encoding: expected none",
        ),
        (
            {"json": {"pixels": BLANK}},
            422,
            "pixels: expected a digit, found 784 that are nearly the same",
        ),
        ({"json": {"pixels": [0.97, 1] * 392}}, 422, "pixels: expected a digit"),
        ({"json": {"pixels": [1] * 700 + [0] * 84}}, 422, "if they are inverted, pass 1 - images"),
        (png(b" " * 200_001, "application/json"), 413, "at most 200000 bytes of JSON"),
    ],
)
def test_a_body_that_is_no_picture_is_refused(client, body, status, message):
    assert message in error(client.post("/api/predict", **body), status)


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
        ("GET", "/web/index.html", 404),
        ("GET", "/web/openapi.json", 404),
        ("GET", "/web/none.js", 404),
        ("OPTIONS", "/api/predict", 405),
        ("GET", "/api/predict", 405),
        ("POST", "/healthz", 405),
        ("DELETE", "/api/models", 405),
        ("TRACE", "/", 405),
    ],
)
def test_what_is_not_there_is_refused_in_json_too(client, method, path, status):
    response = client.open(path, method=method, data=b"")
    error(response, status)
    assert ("Allow" in response.headers) == (status == 405)


def test_what_goes_wrong_inside_is_not_told_outside(caplog):
    class Broken(Stub):
        def models(self):
            raise RuntimeError("/home/user/secret")

    response = application(Broken()).test_client().get("/api/models")
    assert error(response, 500) == "internal error; the server's own output tells more"
    assert "secret" in caplog.text


# Who may ask, and how many at a time --------------------------------------------


@pytest.mark.parametrize(
    ("header", "listening_on", "ours"),
    [
        ("127.0.0.1:8000", "127.0.0.1", True),
        ("localhost:8000", "127.0.0.1", True),
        ("LOCALHOST.", "127.0.0.1", True),
        ("[::1]:8000", "::1", True),
        ("", "127.0.0.1", False),
        ("evil.example:8000", "127.0.0.1", False),
        ("localhost.evil.example", "127.0.0.1", False),
        ("127.0.0.1.evil.example", "127.0.0.1", False),
        ("[::1", "127.0.0.1", False),
        ("evil@localhost", "127.0.0.1", False),
        ("localhost/x", "127.0.0.1", False),
        ("localhost#a", "127.0.0.1", False),
        ("localhost?a", "127.0.0.1", False),
        ("localhost:evil", "127.0.0.1", False),
        ("localhost:8000:8000", "127.0.0.1", False),
        ("localhost ", "127.0.0.1", False),
        ("[::1]evil.example", "127.0.0.1", False),
        ("192.168.1.5:8000", "127.0.0.1", False),
        ("192.168.1.5:8000", "0.0.0.0", True),
        (f"{socket.gethostname()}:8000", "0.0.0.0", True),
        ("evil.example", "0.0.0.0", False),
        ("Digits.example", "digits.example", True),
    ],
)
def test_the_host_header_names_this_server(header, listening_on, ours):
    assert hosts.is_ours(header, listening_on) is ours


def test_another_host_header_is_refused_everywhere(client):
    for path in ("/", "/api/models", "/healthz", "/web/page.js", "/nothing"):
        response = client.get(path, headers={"Host": "evil.example"})
        assert "goes by another name" in error(response, 403)


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
def test_a_page_elsewhere_can_not_have_us_work(client, headers, status):
    body = {"data": {"picture": (io.BytesIO(picture(1)), "x.png")}}
    response = client.post("/api/predict", headers=headers, **body)
    assert response.status_code == status
    if status == 403:
        assert error(response, 403) == (
            "Origin: expected this server's own page, found one from elsewhere"
        )


def test_a_link_elsewhere_leads_to_the_page(client):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=headers, buffered=True).status_code == 200


def test_every_answer_keeps_the_browser_from_guessing_and_fetching_elsewhere(client):
    for path in ("/", "/web/page.js", "/api/models", "/nothing"):
        headers = client.get(path, buffered=True).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert "Access-Control-Allow-Origin" not in headers


def test_the_page_asks_for_nothing_from_elsewhere(client):
    urls = {"index.html": "/", "openapi.json": "/api/openapi.json"}
    for path in sorted(app.WEB.iterdir()):
        url = urls.get(path.name, f"/web/{path.name}")
        response = client.get(url, buffered=True)
        assert response.status_code == 200
        elsewhere = re.findall(r"https?://(?!127\.0\.0\.1|www\.w3\.org/2000/svg)", response.text)
        assert elsewhere == [], path.name
    assert not re.search(r"\sstyle=|\son\w+=|<script>|<style>", client.get("/", buffered=True).text)


def test_one_too_many_is_sent_away():
    entered, go_on = threading.Event(), threading.Event()

    class Slow(Stub):
        def read(self, images, boxes):
            entered.set()
            go_on.wait(5)
            return super().read(images, boxes)

    client = application(Slow(), at_once=1, waiting=0).test_client()
    answers = []
    body = {"json": {"pixels": [*BLANK[1:], 1]}}
    first = threading.Thread(target=lambda: answers.append(client.post("/api/predict", **body)))
    first.start()
    assert entered.wait(5)
    refused = client.post("/api/predict", **body)
    assert client.get("/healthz").status_code == 200
    go_on.set()
    first.join()
    assert "busy" in error(refused, 503)
    assert refused.headers["Retry-After"] == "1"
    assert answers[0].status_code == 200


def test_who_waits_too_long_is_sent_away():
    one = gate.Gate(1, 1, patience=0.1)
    go_on = threading.Event()
    first = threading.Thread(target=one.run, args=(lambda: go_on.wait(5),))
    first.start()
    with pytest.raises(gate.BusyError):
        one.run(list)
    go_on.set()
    first.join()
    assert one.run(lambda: "mine") == "mine"


def test_pixels_do_not_wait_for_pictures(monkeypatch):
    entered, go_on = threading.Event(), threading.Event()

    def slow(file):
        entered.set()
        go_on.wait(5)
        raise ImageError("is read at last")

    monkeypatch.setattr(app.image, "read", slow)
    gates = app.Gates(pictures=gate.Gate(1, 0, 10), models=gate.Gate(1, 0, 10))
    client = app.create(Stub(), "127.0.0.1", gates).test_client()
    answers = []
    first = threading.Thread(
        target=lambda: answers.append(client.post("/api/predict", **png(b"photo")))
    )
    first.start()
    assert entered.wait(5)
    assert client.post("/api/predict", json={"pixels": [*BLANK[1:], 1]}).status_code == 200
    assert "busy" in error(client.post("/api/predict", **png(b"another")), 503)
    go_on.set()
    first.join()
    assert error(answers[0], 422) == "picture: is read at last"


# On the wire --------------------------------------------------------------------


@pytest.fixture
def port():
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        server.running(application(Stub()), listener, threads=4, max_body=bodies.MAX_BYTES),
    ):
        yield listener.getsockname()[1]


def talk(port, *parts, seconds=0.0):
    """Sends the parts with a pause between them; returns all that comes back, and how long."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except OSError:
                break
            time.sleep(seconds)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    return received, time.monotonic() - began


POST = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"411"),
        (POST + b"\r\n", b"411"),
        (POST + b"Content-Length: 20000001\r\n\r\n" + b"x" * 3_000_000, b"413"),
        (POST + b"Content-Length: 99999999999999999999\r\n\r\n", b"413"),
        (POST + b"Expect: 100-continue\r\nContent-Length: 20000001\r\n\r\n", b"413"),
        (POST + b"Content-Length: -1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", b"431"),
        (b"no HTTP at all\r\n\r\n", b"400"),
    ],
)
def test_what_the_application_never_sees_is_refused_in_json_and_heard(port, request_, status):
    answer, _ = talk(port, request_)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == status
    assert list(json.loads(body)) == ["error"]
    assert b"Server:" not in head


def test_a_body_that_is_too_large_is_told_the_limit(port):
    answer, _ = talk(port, POST + b"Content-Length: 20000001\r\n\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {
        "error": "Request Entity Too Large: expected at most 20000000 bytes, found 20000001; "
        "make the picture smaller"
    }


def test_a_request_that_drips_in_is_ended(port, monkeypatch):
    monkeypatch.setattr(server, "REQUEST_SECONDS", 1)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        server.running(application(Stub()), listener, threads=2, max_body=1000),
    ):
        port = listener.getsockname()[1]
        drops = [b"GET / HTTP/1.1\r\n", *[b"X: y\r\n"] * 30]
        answer, seconds = talk(port, *drops, seconds=0.2)
        assert answer == b""
        assert seconds < 6


def test_a_connection_is_kept_for_the_next_request(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
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


def test_a_port_that_is_taken_is_told_before_anything_is_loaded(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert fails(capsys, "--port", port) == (
            f"error: serve: can't listen on 127.0.0.1, port {port}: {os.strerror(98)}; "
            "choose others by --host and --port\n"
        )


def test_mistakes_of_the_command_line(capsys):
    assert "a whole number from 0 up to 65535, found '65536'" in fails(capsys, "--port", "65536")
    assert "found 'eight'" in fails(capsys, "--port", "eight")
    assert "unrecognized arguments: 8000" in fails(capsys, "8000")
    assert "can't listen on a..b, port 8000: " in fails(capsys, "--host", "a..b")


def test_without_its_packages_it_names_the_extra(capsys, monkeypatch):
    monkeypatch.setattr(serve, "NEEDED", ("no_such_package",))
    assert fails(capsys) == (
        'error: serve: the page needs Flask, waitress and Pillow: pip install "deep_mnist[web]"\n'
    )


@pytest.mark.skipif(os.name == "nt", reason="a signal there ends the process at once")
@pytest.mark.parametrize(
    ("number", "code", "host"),
    [(signal.SIGINT, 130, "127.0.0.1"), (signal.SIGTERM, 143, "0.0.0.0")],
)
def test_a_signal_ends_it_cleanly(number, code, host, capsys, monkeypatch):
    monkeypatch.setattr(reader, "Reader", Stub)

    def send_once_it_serves():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if any(thread.name == "serving" for thread in threading.enumerate()):
                time.sleep(0.3)
                os.kill(os.getpid(), number)
                return
            time.sleep(0.05)

    threading.Thread(target=send_once_it_serves).start()
    assert serve.main(["--host", host, "--port", "0"]) == code
    printed = capsys.readouterr()
    assert re.fullmatch(rf"http://{host}:\d+ \(Ctrl-C stops it\)\n", printed.out)
    warned = printed.err.removesuffix("serve: stopped\n")
    assert warned != printed.err
    assert ("whoever reaches this machine reaches the page" in warned) == (host == "0.0.0.0")
    assert (warned == "") == (host == "127.0.0.1")
