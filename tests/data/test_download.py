"""Downloads from misbehaving local mirrors: a file arrives whole, or not at all."""

import gzip
import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from deep_mnist.data import download, idx, registry, search
from deep_mnist.data.registry import DatasetFiles, IdxFile
from deep_mnist.errors import DatasetError, DatasetUnreachableError

ROOT = Path(__file__).parents[2]
PIXELS = np.random.default_rng(0).bytes(40 * 784)
PAYLOADS = {
    "train-images-idx3-ubyte": struct.pack(">4I", 2051, 30, 28, 28) + PIXELS[: 30 * 784],
    "train-labels-idx1-ubyte": struct.pack(">2I", 2049, 30) + bytes(range(10)) * 3,
    "t10k-images-idx3-ubyte": struct.pack(">4I", 2051, 10, 28, 28) + PIXELS[30 * 784 :],
    "t10k-labels-idx1-ubyte": struct.pack(">2I", 2049, 10) + bytes(range(10)),
}
PUBLISHED = {name: gzip.compress(payload, mtime=1) for name, payload in PAYLOADS.items()}
GZ_NAMES = sorted(f"{name}.gz" for name in PAYLOADS)


class Mirror(BaseHTTPRequestHandler):
    """A server; the first part of the path is its behavior, the second the file."""

    def do_GET(self):
        behavior, name = self.path.strip("/").split("/")
        body = PUBLISHED[name.removesuffix(".gz")]
        self.server.requests.append(behavior)
        if behavior in ("403", "503"):
            self.send_error(int(behavior))
        elif behavior == "hang":
            self.server.released.wait(5)
        elif behavior == "page":
            self.send(b"<html><body>Please log in</body></html>")
        elif behavior == "truncated":
            self.send(body[:-9], len(body))
        elif behavior == "short":
            self.send(body[:-9])
        elif behavior == "other":
            self.send(gzip.compress(PAYLOADS[name.removesuffix(".gz")][:-1] + b"\x07"))
        elif behavior == "recompressed":
            self.send(gzip.compress(PAYLOADS[name.removesuffix(".gz")], mtime=2))
        elif behavior == "endless":
            self.send(body + bytes(1 << 20))
        elif behavior == "drip":
            self.send(b"", len(body))
            for start in range(0, len(body), 4_096):
                if not self.server.released.wait(0.1):
                    self.wfile.write(body[start : start + 4_096])
        elif behavior == "stall":
            self.send(body[:-9], len(body))
            self.server.released.wait(20)
        elif behavior == "good":
            self.send(body)

    def send(self, body, length=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:  # the client closed the connection, as expected
            self.close_connection = True

    def finish(self):
        try:
            super().finish()
        except ConnectionError:
            self.rfile.close()


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.requests = []
        server.released = threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    """Return the cache directory of MNIST, which is empty; timeouts are short."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("DEEP_MNIST_DATA_DIR", raising=False)
    monkeypatch.delenv("DEEP_MNIST_OFFLINE", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(download, "TIMEOUT", 0.5)
    return tmp_path / "cache" / "deep_mnist" / "mnist"


@pytest.fixture
def mirrors(server, monkeypatch):
    """Return a function that replaces MNIST by a small dataset with mirrors of some behaviors."""

    def put(*behaviors, known=True):
        shapes = ((30, 28, 28), (30,), (10, 28, 28), (10,))
        idx_files = tuple(
            IdxFile(
                name,
                shape,
                hashlib.sha256(payload).hexdigest() if known else None,
                hashlib.sha256(PUBLISHED[name]).hexdigest(),
            )
            for (name, payload), shape in zip(PAYLOADS.items(), shapes, strict=True)
        )
        urls = tuple(f"{server.url}/{behavior}/" for behavior in behaviors)
        dataset = DatasetFiles("MNIST", idx_files, True, urls, ())
        monkeypatch.setitem(registry.DATASETS, "mnist", dataset)
        return dataset

    return put


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def assert_whole(arrays):
    assert arrays.train_images.tobytes() == PIXELS[: 30 * 784]
    assert arrays.train_labels.tolist() == [*range(10)] * 3
    assert arrays.test_images.tobytes() == PIXELS[30 * 784 :]
    assert arrays.test_labels.tolist() == [*range(10)]


def test_a_dataset_is_downloaded(mirrors, server, directory, capsys):
    mirrors("good")
    arrays = search.load_arrays("mnist")
    assert_whole(arrays)
    assert arrays.source == str(directory)
    assert names(directory) == GZ_NAMES
    assert capsys.readouterr().err == "".join(
        f"downloaded {server.url}/good/{name}.gz into {directory}\n" for name in PAYLOADS
    )
    assert (directory / "t10k-labels-idx1-ubyte.gz").read_bytes() == (
        PUBLISHED["t10k-labels-idx1-ubyte"]
    )


def test_what_was_downloaded_is_not_downloaded_again(mirrors, server):
    mirrors("good")
    search.load_arrays("mnist")
    assert_whole(search.load_arrays("mnist"))
    assert len(server.requests) == 4


def test_only_what_is_missing_is_downloaded(mirrors, server, directory):
    mirrors("good")
    search.load_arrays("mnist")
    (directory / "t10k-labels-idx1-ubyte.gz").unlink()
    assert_whole(search.load_arrays("mnist"))
    assert len(server.requests) == 5


def test_a_named_mirror_is_tried_first(mirrors, server):
    mirrors("403", "good")
    assert_whole(search.load_arrays("mnist", mirror=f"{server.url}/good/"))
    assert server.requests == ["good"] * 4


def test_a_file_of_an_unknown_dataset_is_downloaded(server, tmp_path):
    path = tmp_path / "new" / "digits.gz"
    download.download_from(f"{server.url}/good/t10k-labels-idx1-ubyte.gz", path, idx.read)
    assert path.read_bytes() == PUBLISHED["t10k-labels-idx1-ubyte"]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("{server}/403/t10k-labels-idx1-ubyte.gz", "HTTP 403 Forbidden"),
        ("{server}/page/t10k-labels-idx1-ubyte.gz", "expected an IDX file, found a web page"),
        (
            "digits.gz",
            "Invalid URL 'digits.gz': No scheme supplied. Perhaps you meant https://digits.gz?",
        ),
    ],
)
def test_a_file_of_an_unknown_dataset_that_cannot_be_downloaded_is_an_error(
    server, tmp_path, address, reason
):
    url, path = address.format(server=server.url), tmp_path / "new" / "digits.gz"
    with pytest.raises(DatasetUnreachableError) as caught:
        download.download_from(url, path, idx.read)
    assert caught.value.message == f"{url}: cannot be downloaded ({reason})"
    assert caught.value.hint == f"download the file by hand, and save it as {path}"
    assert names(path.parent) == []


def test_a_file_of_an_unknown_dataset_offline_or_in_an_unwritable_directory_is_an_error(
    server, tmp_path, monkeypatch
):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasetUnreachableError, match="cannot be written"):
        download.download_from(f"{server.url}/good/x", tmp_path / "file" / "x", idx.read)
    monkeypatch.setenv("DEEP_MNIST_OFFLINE", "1")
    with pytest.raises(DatasetUnreachableError, match="DEEP_MNIST_OFFLINE forbids downloading it"):
        download.download_from(f"{server.url}/good/x", tmp_path / "x", idx.read)
    assert server.requests == []


def test_mirrors_are_tried_until_one_works(mirrors, server, directory, capsys):
    mirrors("403", "503", "hang", "page", "truncated", "good")
    assert_whole(search.load_arrays("mnist"))
    assert names(directory) == GZ_NAMES
    lines = capsys.readouterr().err.splitlines()
    name = "train-images-idx3-ubyte.gz"
    assert lines[:6] == [
        f"warning: {server.url}/403/{name}: HTTP 403 Forbidden",
        f"warning: {server.url}/503/{name}: HTTP 503 Service Unavailable",
        f"warning: {server.url}/hang/{name}: timed out",
        f"warning: {server.url}/page/{name}: expected an IDX file, found a web page",
        f"warning: {server.url}/truncated/{name}: the connection was closed before the end",
        f"downloaded {server.url}/good/{name} into {directory}",
    ]
    # The other three files come from the mirror that worked.
    assert len(lines) == 9
    assert server.requests[5:] == ["good"] * 4


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        ("short", "truncated"),
        ("other", "expected train-images-idx3-ubyte of MNIST with SHA-256"),
        ("endless", "expected at most 89056 bytes, found more"),
        ("stall", "timed out"),
    ],
)
def test_a_file_that_fails_verification_is_not_kept(mirrors, directory, behavior, reason):
    mirrors(behavior)
    with pytest.raises(DatasetUnreachableError) as caught:
        search.load_arrays("mnist")
    assert reason in str(caught.value)
    assert names(directory) == []


def test_a_slow_download_ends_at_the_deadline(mirrors, monkeypatch):
    monkeypatch.setattr(download, "DEADLINE", 0.2)
    mirrors("drip")
    started = time.monotonic()
    with pytest.raises(DatasetUnreachableError, match="not finished after 0 seconds"):
        search.load_arrays("mnist")
    assert time.monotonic() - started < 2


def test_a_missing_bundle_of_certificates_is_a_failure_of_the_mirror(mirrors, monkeypatch):
    dataset = mirrors("good")
    secure = tuple(url.replace("http:", "https:") for url in dataset.mirrors)
    monkeypatch.setitem(registry.DATASETS, "mnist", dataset._replace(mirrors=secure))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    with pytest.raises(DatasetUnreachableError, match=r"cannot be downloaded .*/nonexistent\.pem"):
        search.load_arrays("mnist")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_downloaded_files_have_the_usual_mode(mirrors, directory):
    mirrors("good")
    search.load_arrays("mnist")
    umask = os.umask(0)
    os.umask(umask)
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o666 & ~umask}


def test_a_recompressed_file_is_accepted_if_the_payload_is_known(mirrors, directory):
    mirrors("recompressed")
    assert_whole(search.load_arrays("mnist"))


def test_only_the_published_gz_is_accepted_if_the_payload_is_unknown(mirrors, directory):
    mirrors("recompressed", known=False)
    with pytest.raises(DatasetUnreachableError, match="expected SHA-256"):
        search.load_arrays("mnist")
    assert names(directory) == []
    mirrors("recompressed", "good", known=False)
    assert_whole(search.load_arrays("mnist"))


def test_a_failed_download_names_every_mirror_and_hints_at_alternatives(
    mirrors, server, directory, capsys
):
    mirrors("403", "page")
    with pytest.raises(DatasetUnreachableError) as caught:
        search.load_arrays("mnist")
    name = "train-images-idx3-ubyte.gz"
    assert capsys.readouterr().err == (
        f"warning: {server.url}/403/{name}: HTTP 403 Forbidden\n"
        f"warning: {server.url}/page/{name}: expected an IDX file, found a web page\n"
    )
    assert caught.value.message == (
        f"MNIST is not on disk, and {name} cannot be downloaded from any of 2 mirrors "
        "(expected an IDX file, found a web page)"
    )
    assert caught.value.hint == (
        "put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
        f"t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz into {directory}, "
        "or name their directory with --data-dir, data_dir or DEEP_MNIST_DATA_DIR, "
        "or use synthetic digits: --dataset generated"
    )


def test_a_mirror_that_refuses_the_connection_is_skipped(mirrors, server, monkeypatch):
    dataset = mirrors("good")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    dead = dataset._replace(mirrors=(f"http://127.0.0.1:{port}/", *dataset.mirrors))
    monkeypatch.setitem(registry.DATASETS, "mnist", dead)
    assert_whole(search.load_arrays("mnist"))


def test_a_damaged_file_in_the_cache_is_renamed_and_downloaded_again(mirrors, directory, capsys):
    mirrors("good")
    search.load_arrays("mnist")
    damaged = directory / "train-images-idx3-ubyte.gz"
    damaged.write_bytes(b"<html></html>")
    capsys.readouterr()
    assert_whole(search.load_arrays("mnist"))
    assert (directory / "train-images-idx3-ubyte.gz.damaged").read_bytes() == b"<html></html>"
    first, second = capsys.readouterr().err.splitlines()
    assert first == (
        f"warning: {damaged}: expected an IDX file, found a web page; "
        "renamed to train-images-idx3-ubyte.gz.damaged"
    )
    assert second.startswith("downloaded ")
    assert_whole(search.load_arrays("mnist"))


def test_no_socket_is_opened_offline(mirrors, directory, monkeypatch):
    def no_socket(*args, **kwargs):
        raise AssertionError("a socket was opened")

    mirrors("good")
    monkeypatch.setenv("DEEP_MNIST_OFFLINE", "1")
    monkeypatch.setattr(socket, "socket", no_socket)
    monkeypatch.setattr(socket, "create_connection", no_socket)
    monkeypatch.setattr(socket, "getaddrinfo", no_socket)
    with pytest.raises(DatasetUnreachableError, match="DEEP_MNIST_OFFLINE forbids downloading it"):
        search.load_arrays("mnist")
    assert not directory.exists()


def test_an_unwritable_cache_is_an_error(mirrors, server, tmp_path, monkeypatch):
    mirrors("good")
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DatasetUnreachableError, match="cannot be written") as caught:
        search.load_arrays("mnist")
    assert caught.value.hint.startswith("name the directory of the dataset with --data-dir")
    assert server.requests == []


def test_nothing_is_downloaded_into_a_directory_that_was_named(mirrors, server, tmp_path):
    mirrors("good")
    (tmp_path / "named").mkdir()
    with pytest.raises(DatasetError):
        search.load_arrays("mnist", str(tmp_path / "named"))
    assert server.requests == []
    assert names(tmp_path / "named") == []


# Processes ----------------------------------------------------------------

CHILD = """
import json, sys
from deep_mnist.data import registry, search
title, idx_files, balanced, mirrors, search_paths, _ = json.loads(sys.argv[1])
registry.DATASETS["mnist"] = registry.DatasetFiles(
    title,
    tuple(registry.IdxFile(name, tuple(shape), *digests) for name, shape, *digests in idx_files),
    balanced, mirrors, search_paths,
)
print(search.load_arrays("mnist").train_labels.sum())
"""


def start(dataset):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, json.dumps(dataset)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_processes_that_start_at_once_with_a_damaged_cache(mirrors, directory):
    directory.mkdir(parents=True)
    (directory / "t10k-labels-idx1-ubyte.gz").write_bytes(b"")
    children = [start(mirrors("good")) for _ in range(2)]
    for child in children:
        output, errors = child.communicate(timeout=20)
        assert child.returncode == 0, errors
        assert output == b"135\n"
    assert (
        set(GZ_NAMES) <= set(names(directory)) <= {*GZ_NAMES, "t10k-labels-idx1-ubyte.gz.damaged"}
    )
    assert_whole(search.load_arrays("mnist"))


def test_a_killed_download_leaves_no_file_that_looks_complete(mirrors, directory):
    child = start(mirrors("stall"))
    deadline = time.monotonic() + 10
    while not directory.exists() or not names(directory):
        assert time.monotonic() < deadline, "the download never started"
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    (temporary,) = names(directory)
    assert not temporary.endswith(".gz")
    mirrors("good")
    assert_whole(search.load_arrays("mnist"))
    assert names(directory) == sorted([*GZ_NAMES, temporary])
