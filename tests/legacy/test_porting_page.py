"""docs/porting.md: old lines print the message on this TensorFlow, new lines run without it.

One process imports TensorFlow, and forks for every program.
"""

import ast
import contextlib
import gzip
import json
import os
import re
import shlex
import shutil
import socketserver
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from deep_mnist.data import idx

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="programs are run by forking")

PAGE = (Path(__file__).parents[2] / "docs" / "porting.md").read_text("utf-8")
SERVER = """
import json, os, resource, runpy, sys, traceback
import tensorflow.compat.v1
from deep_mnist.legacy.__main__ import main as legacy

def run(directory, arguments, environment, memory):
    os.chdir(directory)
    os.environ.update(environment)
    output = os.open("output", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if memory:
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    if arguments[0] in ("run", "port"):
        return legacy(arguments)
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")
    return 0

for line in sys.stdin:
    child = os.fork()
    if not child:
        try:
            code = run(*json.loads(line))
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
# A checkpoint with the names of the tutorials and those of a variable scope.
CHECKPOINT = """
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
variables = [tf.Variable(tf.zeros([784, 10])), tf.Variable(tf.zeros([10]))]
with tf.variable_scope("softmax"):
    variables.append(tf.get_variable("W", [784, 10]))
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    tf.train.Saver(variables).save(sess, "./model.ckpt")
"""
DAMAGED = {
    "EOFError: Compressed file ended before the end-of-stream marker was reached": (
        gzip.compress(bytes(1000))[:-10]
    ),
    "Not a gzipped file (b'<!')": b"<!DOCTYPE html>",
}


class Section(NamedTuple):
    """A section of the page: its blocks, and whether it says that `legacy` runs or writes them."""

    message: str
    language: str
    old: str
    new: str
    runs: bool
    ports: bool


class Ended(NamedTuple):
    """How a program ended."""

    code: int
    output: str


def sections():
    for title, text in re.findall(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S):
        (message,) = re.findall(r"^```text\n(.*?)^```$", text, re.M | re.S)
        ((language, old),) = re.findall(r"^Old:\n\n```(\w+)\n(.*?)^```$", text, re.M | re.S)
        (new,) = re.findall(r"^New:\n\n```\w+\n(.*?)^```$", text, re.M | re.S)
        text = " ".join(text.split())
        runs = "`legacy run` runs the old lines" in text
        ports = "`legacy port` writes the new ones" in text
        yield title.strip("` "), Section(message, language, old, new, runs, ports)


SECTIONS = dict(sections())
PROGRAMS = [title for title, section in SECTIONS.items() if section.language == "python"]


@pytest.fixture(scope="module")
def execute(tmp_path_factory):
    """Return a function that runs a program, or `legacy`, in a fork of one process."""
    # oneDNN waits for ten seconds before it reports that memory is exhausted.
    home = str(tmp_path_factory.mktemp("home"))
    environment = {**os.environ, "HOME": home, "TF_ENABLE_ONEDNN_OPTS": "0"}
    environment.pop("TF_USE_LEGACY_KERAS", None)  # set by `legacy run` in tests of this process
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:

        def run(directory, *arguments, environment=(), memory=0):
            request = [str(directory), arguments, dict(environment), memory]
            print(json.dumps(request), file=process.stdin, flush=True)
            code = int(process.stdout.readline())
            return Ended(code, (directory / "output").read_text("utf-8", "replace"))

        yield run
        process.stdin.close()


@pytest.fixture(scope="module")
def checkpoint(execute, tmp_path_factory):
    directory = tmp_path_factory.mktemp("checkpoint")
    (directory / "save.py").write_text(CHECKPOINT)
    assert execute(directory, "save.py").code == 0
    return directory


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    """The address of a proxy that refuses http, and has an unknown certificate for https."""
    directory = tmp_path_factory.mktemp("proxy")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=proxy -keyout key -out cert"
    subprocess.run(shlex.split(command), cwd=directory, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert", directory / "key")

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            request = self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            if not request.startswith(b"CONNECT"):
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            with contextlib.suppress(ssl.SSLError, ConnectionError):  # the client refuses it
                context.wrap_socket(self.connection, server_side=True)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def run(request, execute, tmp_path):
    """Return a function that runs a program in the state of a directory that its section has."""

    def run(title, program, *command):
        environment, arguments, memory = {}, (), 0
        if "input_data" in program:
            write_dataset(tmp_path / "MNIST_data")
        if "model.ckpt" in SECTIONS[title].old:
            shutil.copytree(request.getfixturevalue("checkpoint"), tmp_path, dirs_exist_ok=True)
        if title in ("HTTP Error 403: Forbidden", "CERTIFICATE_VERIFY_FAILED"):
            proxy = request.getfixturevalue("proxy")
            environment = {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": ""}
        elif title in DAMAGED:
            path = tmp_path / "MNIST_data" / "t10k-images-idx3-ubyte.gz"
            shutil.rmtree(path.parent, ignore_errors=True)
            path.parent.mkdir()
            path.write_bytes(DAMAGED[title])
        elif title.startswith("OOM"):
            memory = 600_000_000
        elif "'f'" in title:
            arguments = ("-f", "kernel.json")
        if "deep_mnist" in program or "mnist" in title or command == ("run",):
            environment["DEEP_MNIST_DATA_DIR"] = request.getfixturevalue("mnist_dir")
        (tmp_path / "old.py").write_text(program)
        if command == ("port",):
            arguments = ("-o", "new.py")
        command = (*command, "old.py", *arguments)
        return execute(tmp_path, *command, environment=environment, memory=memory)

    return run


def write_dataset(directory):
    """Write 5,010 training and 10 test images, all black."""
    directory.mkdir(exist_ok=True)
    for name, shape in {
        "train-images-idx3-ubyte.gz": (5010, 28, 28),
        "train-labels-idx1-ubyte.gz": (5010,),
        "t10k-images-idx3-ubyte.gz": (10, 28, 28),
        "t10k-labels-idx1-ubyte.gz": (10,),
    }.items():
        idx.write(directory / name, np.zeros(shape, np.uint8))


def prints(ended, message):
    """Whether a program printed the lines of a message, in their order."""
    pattern = ".*?".join(map(re.escape, message.splitlines()))
    return re.search(pattern, ended.output, re.DOTALL) is not None


def test_the_page_has_41_messages():
    assert len(SECTIONS) == 41


@pytest.mark.parametrize("title", PROGRAMS)
def test_the_old_lines_print_the_message(run, title):
    ended = run(title, SECTIONS[title].old)
    assert prints(ended, SECTIONS[title].message), ended.output


@pytest.mark.parametrize("title", PROGRAMS)
def test_the_new_lines_run_without_it(run, title):
    ended = run(title, SECTIONS[title].new)
    assert ended.code == 0, ended.output
    assert not prints(ended, SECTIONS[title].message)


@pytest.mark.parametrize("title", PROGRAMS)
def test_legacy_run_runs_the_old_lines_where_the_page_says_so(run, title):
    section = SECTIONS[title]
    ended = run(title, section.old, "run")
    if section.runs:
        assert ended.code == 0, ended.output
        assert not prints(ended, section.message)
    else:
        assert prints(ended, section.message) or "is not covered here" in ended.output


@pytest.mark.parametrize("title", PROGRAMS)
def test_legacy_port_writes_the_new_lines_where_the_page_says_so(run, title, tmp_path):
    section = SECTIONS[title]
    ended = run(title, section.old, "port")
    ported, new = (ast.parse(text) for text in ((tmp_path / "new.py").read_text(), section.new))
    assert (ast.dump(ported) == ast.dump(new)) == section.ports, ended.output


@pytest.mark.parametrize("title", sorted(SECTIONS.keys() - PROGRAMS))
def test_pip_finds_the_new_release_only(title):
    def pip(command):
        environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DRY_RUN": "1"}
        arguments = [sys.executable, "-m", *shlex.split(command)]
        return subprocess.run(arguments, env=environment, capture_output=True, text=True)

    for line in SECTIONS[title].message.splitlines():
        assert line in pip(SECTIONS[title].old).stderr
    assert pip(SECTIONS[title].new).returncode == 0
