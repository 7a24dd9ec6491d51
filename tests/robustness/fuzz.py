"""Fuzz tests of everything that reads bytes from outside.

    python tests/robustness/fuzz.py TARGET [--seconds 600] [--seed 1]

Atheris, a coverage-guided fuzzer, calls the function fuzz_TARGET with inputs that reach new lines
of the code: idx, npz, png, jpeg, webp, bmp, tiff and gif (image files), pixels, tf_config, flags,
state_file, graph, table (TensorFlow 1 checkpoints of both formats with correct checksums), and
what `legacy` reads: notebook, port (scripts to port) and module (scripts and modules to run, which
are compiled but not run). The target web is the running server, tested by Schemathesis with
requests generated from its OpenAPI schema. Each input must give a result or a DeepMnistError.
Anything else ends the test and leaves the input in fuzz-TARGET/. Without --seconds, the number of
inputs is written to results/fuzz-TARGET.json. Needs
pip install -r tests/robustness/fuzz-requirements.txt
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import atheris
import leveldb_table
import numpy as np
import result_file

with atheris.instrument_imports(include=["deep_mnist", "zipfile", "gzip", "PIL"]):
    import gzip
    import zipfile

    from PIL import Image

    Image.init()  # imports the decoders
    from deep_mnist import inference, lazy_tensorflow, predict, serve
    from deep_mnist.checkpoints import npz_reader, paths, reader
    from deep_mnist.cli import launch
    from deep_mnist.data import idx, npz
    from deep_mnist.distributed import __main__ as distributed
    from deep_mnist.distributed import chief_failure, cluster_spec, local_cluster
    from deep_mnist.distributed import launch as distributed_launch
    from deep_mnist.errors import DeepMnistError
    from deep_mnist.export import __main__ as export
    from deep_mnist.lazy_tensorflow import tf
    from deep_mnist.legacy import checkpoint, compiler, source
    from deep_mnist.legacy.notebook import Notebook
    from deep_mnist.legacy.port.script import port_script
    from deep_mnist.report import __main__ as report
    from deep_mnist.training import Run
    from deep_mnist.vision import image

DIRECTORY = Path(tempfile.mkdtemp(prefix="fuzz-"))
FILE = DIRECTORY / "file"
SECONDS = 600


@contextlib.contextmanager
def errors_allowed() -> Iterator[None]:
    """Suppress DeepMnistErrors, the messages for users."""
    try:
        yield
    except DeepMnistError as error:
        assert 0 < len(str(error)) < 50_000, len(str(error))  # may quote an argument of 5,000


# Data -------------------------------------------------------------------------


def idx_seeds() -> Iterator[bytes]:
    for array in (np.zeros((2, 3, 4), np.uint8), np.arange(5, dtype=np.uint8)):
        content = idx.header(array) + array.tobytes()
        yield content
        yield gzip.compress(content)


def fuzz_idx(content: bytes) -> None:
    with errors_allowed():
        idx.read_stream(io.BytesIO(content), "file")


def npz_seeds() -> Iterator[bytes]:
    arrays = {name: np.zeros((2,) * n, np.uint8) for name, n in npz.MNIST_DIMENSIONS.items()}
    for save in (np.savez, np.savez_compressed):
        for values in (arrays, {"W1": np.ones((2, 3), ">f4"), "step": np.int64(7)}):
            file = io.BytesIO()
            save(file, **values)
            yield b"\0" + file.getvalue()
    array = io.BytesIO()
    np.save(array, np.ones((2, 3)))
    yield b"\1" + array.getvalue()


def fuzz_npz(content: bytes) -> None:
    """Read the content as a zip archive, or an archive with the content as its arrays."""
    if content[:1] == b"\1":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name in (*npz.MNIST_DIMENSIONS, "W1"):
                archive.writestr(f"{name}.npy", content[1:])
        FILE.write_bytes(file.getvalue())
    else:
        FILE.write_bytes(content[1:])
    with errors_allowed():
        npz.read_mnist(FILE)
    with errors_allowed():
        npz_reader.read_specs(FILE)
    with errors_allowed():
        opened = reader.open_checkpoint(paths.find(str(FILE)))
        for name in opened.specs:
            with errors_allowed():
                opened.read(name)


# Images -----------------------------------------------------------------------


def image_seeds(kind: str) -> Iterator[bytes]:
    gray = np.full((40, 30), 255, np.uint8)
    gray[8:32, 14:17] = 0
    for mode in ("L", "RGB", "RGBA", "P", "1", "LA", "I;16", "F", "CMYK"):
        for options in ({}, {"progressive": True}, {"lossless": True}, {"compression": "tiff_lzw"}):
            file = io.BytesIO()
            with contextlib.suppress(OSError, ValueError, KeyError):
                if mode == "I;16":
                    Image.fromarray(gray.astype(np.uint16) * 257).save(file, kind, **options)
                else:
                    Image.fromarray(gray).convert(mode).save(file, kind, **options)
                yield file.getvalue()


def fuzz_image(kind: str, content: bytes) -> None:
    with errors_allowed():
        image.digits(image.read(with_checksums(content) if kind == "PNG" else content))


def with_checksums(png: bytes) -> bytes:
    """Return a PNG file with correct checksums, so that its decoder gets further."""
    content, start = bytearray(png), 8
    while start + 12 <= len(content):
        end = start + 8 + int.from_bytes(content[start : start + 4], "big")
        content[end : end + 4] = zlib.crc32(content[start + 4 : end]).to_bytes(4, "big")
        start = end + 4
    return bytes(content)


def pixels_seeds() -> Iterator[bytes]:
    generator = np.random.default_rng(0)
    for shape in ((1, 1), (1, 40), (40, 1), (3, 3), (28, 28), (30, 60)):
        yield bytes(shape) + generator.integers(0, 256, shape[0] * shape[1], np.uint8).tobytes()
        yield bytes(shape) + bytes(shape[0] * shape[1])


def fuzz_pixels(content: bytes) -> None:
    """Read any pixels of any shape, as a decoder may return them; floats may be NaN."""
    if len(content) < 4:
        return
    height, width = max(content[0], 1), max(content[1], 1)
    dtype = np.dtype(np.float32 if content[2] % 4 == 0 else np.uint8)
    values = np.frombuffer(content[3:].ljust(1, b"\0"), np.uint8)
    values = np.resize(values, height * width * dtype.itemsize).view(dtype)
    file = io.BytesIO()
    Image.fromarray(values.reshape(height, width)).save(file, "TIFF")
    with errors_allowed():
        image.digits(image.read(file.getvalue()))


# The command line and the environment -----------------------------------------


def tf_config_seeds() -> Iterator[bytes]:
    cluster = {"chief": ["a:1"], "ps": {"1": "b:2"}, "worker": ["[::1]:3", "c.d:4"]}
    for task in ({"type": "worker", "index": 1}, {"type": "evaluator"}, {"type": "ps", "index": 0}):
        yield json.dumps({"cluster": cluster, "task": task}).encode()
    yield b"ps=a:1,b:2 worker=c:3 worker:0"


def fuzz_tf_config(content: bytes) -> None:
    text = content.decode("utf-8", "surrogateescape")
    with errors_allowed():
        cluster_spec.from_tf_config(text)
    *jobs, task = text.split(" ")
    with errors_allowed():
        cluster_spec.from_flags(jobs, task)


FLAGS = sorted(
    "--steps --batch-size --learning-rate --seed --dataset --data-dir --run-dir --resume --restore "
    "--log-every --save-every --keep --quiet --recipe --initialization --schedule --optimizer "
    "--loss --keep-prob --beta2 --weight-decay --label-smoothing --augmentation --plain-steps "
    "--precision --dtype --model --variant --picture --save-picture --summaries --trace-every "
    "--cluster --task --strategy --local --sync --backup-workers --stall-timeout "
    "--intra-op-threads --inter-op-threads --csv --json --out "
    "--html --format --host --port --take --convert --show --save-input --help --help-all".split()
)
VALUES = [
    *"0 1 -1 2 1.5 nan inf 1e999 1e-999 mnist generated auto adam best tutorial no/such . / "
    "run worker:0 ps=a:1 worker=b:2 1ps,2w all-reduce float32 raw-pixels svg ٣ 1_0 0x10 -- - '' "
    "a\udcff é \n 99999999999999999999 softmax cnn".split(" "),
    "9" * 5000,
    "x" * 5000,
]
PARSERS: dict[str, Callable[[list[str]], Any]] = {
    "predict": predict._parse,
    "report": report.main,
    "export": export._parse,
    "serve": serve.main,
    "legacy checkpoint": checkpoint.main,
}


def flags_seeds() -> Iterator[bytes]:
    yield from (bytes([n, *range(n, n + 12)]) for n in range(0, 200, 9))


def fuzz_flags(content: bytes) -> None:
    """Parse a command line of known and unknown arguments, without training or serving."""
    data = atheris.FuzzedDataProvider(content)
    command = data.PickValueInList([*inference.PROGRAMS, "distributed", *PARSERS])
    argv = []
    for _ in range(data.ConsumeIntInRange(0, 8)):
        kind = data.ConsumeIntInRange(0, 9)
        if kind < 5:
            argv.append(data.PickValueInList(FLAGS))
        elif kind < 9:
            argv.append(data.PickValueInList(VALUES))
        else:
            argv.append(os.fsdecode(data.ConsumeBytes(8).replace(b"\0", b"")))
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            if command in PARSERS:
                with errors_allowed():
                    result = PARSERS[command](argv)
                    assert not isinstance(result, int) or result in (0, 2), result
                return
            code = distributed.main(argv) if command == "distributed" else start(command, argv)
        except SystemExit as help_printed:
            assert not help_printed.code, help_printed.code
            return
    errors = [line for line in stderr.getvalue().splitlines() if line.startswith("error: ")]
    assert code in (0, 2), code
    assert len(errors) == (1 if code == 2 else 0), errors


def start(name: str, argv: list[str]) -> int:
    """Run the command line of a program up to its training."""
    program = inference.PROGRAMS[name]

    def train(config: Any, run: Run) -> None:
        print(config, run.run_config, run.options)

    module = program.module
    numpy_only = not program.has_graph
    return launch(name, module.Config, train, module.__doc__, argv, numpy_only=numpy_only)


# Checkpoints ------------------------------------------------------------------


def state_file_seeds() -> Iterator[bytes]:
    for name in ("model.ckpt-9", "/home/ada/run/model.ckpt-9", r"C:\\run\\other.ckpt"):
        yield f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "{name}"\n'.encode()


def fuzz_state_file(content: bytes) -> None:
    run = DIRECTORY / "run"
    run.mkdir(exist_ok=True)
    for name in ("model.ckpt-9.index", "other.ckpt.index"):
        (run / name).touch()
    (run / "checkpoint").write_bytes(content)
    with errors_allowed():
        paths.find(str(run))
    with errors_allowed():
        paths.find(str(run / "checkpoint"))


def graph_seeds() -> Iterator[bytes]:
    with tf.Graph().as_default() as graph:
        for dtype in ("float32", "float64", "float16", "bfloat16", "int32", "string", "bool"):
            value: Any = {"string": [["a", "b"]], "bool": [[True, False]]}.get(dtype, [[1, 0]])
            tf.constant(value, tf.as_dtype(dtype), name=f"W_{dtype}")
        yield graph.as_graph_def().SerializeToString()


def fuzz_graph(content: bytes) -> None:
    path = DIRECTORY / "graph.pb"
    path.write_bytes(content)
    read_all(path)


def read_all(path: Path) -> None:
    """Read all variables of a file, and match them with the models."""
    with errors_allowed():
        file = reader.open_checkpoint(paths.find(str(path)))
        for name in file.specs:
            with errors_allowed():
                file.read(name)
        with errors_allowed():
            inference.matches(file, [p.name for p in inference.PROGRAMS.values() if p.has_graph])


def saved_checkpoint(version: int) -> Path:
    """Return the prefix of a small checkpoint of TensorFlow 1's Saver, V1 or V2."""
    prefix = DIRECTORY / f"seed-v{version}"
    if not list(DIRECTORY.glob(f"{prefix.name}*")):
        with tf.Graph().as_default(), tf.Session() as sess:
            tf.Variable(tf.ones([3, 2]), name="W")
            tf.Variable(tf.zeros([2], tf.int64), name="b")
            sess.run(tf.global_variables_initializer())
            saver = tf.train.Saver(write_version=version)
            saver.save(sess, str(prefix), write_meta_graph=False, write_state=False)
    return prefix


def table_seeds() -> Iterator[bytes]:
    for version in (1, 2):
        path = saved_checkpoint(version)
        yield bytes([version]) + leveldb_table.pack(
            leveldb_table.read(path if version == 1 else index(path))
        )


def fuzz_table(content: bytes) -> None:
    """Read a checkpoint whose table has these entries and correct checksums."""
    path = DIRECTORY / "model.ckpt"
    one_file = content[:1] == b"\1"
    (path if one_file else index(path)).write_bytes(
        leveldb_table.write(leveldb_table.unpack(content[1:]))
    )
    if one_file:
        index(path).unlink(missing_ok=True)
    else:
        path.unlink(missing_ok=True)
        data = ".data-00000-of-00001"
        shutil.copy(f"{saved_checkpoint(2)}{data}", f"{path}{data}")
    read_all(path)


def index(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.index")


# Programs of TensorFlow 1 -----------------------------------------------------

SCRIPTS = (
    """\
from __future__ import print_function
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data
mnist = input_data.read_data_sets("MNIST_data", one_hot=True)
x = tf.placeholder(tf.float32, [None, 784], name='x')
y = tf.nn.softmax(tf.matmul(x, tf.Variable(tf.zeros([784, 10]))))
h = tf.contrib.layers.fully_connected(x, 10, activation_fn=None)
cell = tf.nn.rnn_cell.BasicLSTMCell(128); out = tf.concat(1, [x, y])
with tf.Session() as sess:
    sess.run(tf.initialize_all_variables())
""",
    """\
#!/usr/bin/env python
# -*- coding: latin-1 -*-
import cPickle, urllib2
print "half: %d" % (7 / 2), `x`
for i in xrange(len(d.keys()) / 2):
\tif d.has_key(i) <> 0: raise ValueError, u"no"
\texec "x = 1" in d
try: reduce(lambda (a, b), c: a, map(None, []))
except Exception, e: pass
""",
    """\
%matplotlib inline
!pip install tensorflow==1.4
files = !ls *.py
%time x?
tf.app.run(main=lambda _: 0)
""",
)


def port_seeds() -> Iterator[bytes]:
    for script in SCRIPTS:
        yield script.encode()
        yield script.encode("utf-16")


def fuzz_port(content: bytes) -> None:
    script = DIRECTORY / "script.py"
    script.write_bytes(content)
    with errors_allowed():
        port_script(script)


def fuzz_module(content: bytes) -> None:
    """Compile a script, or a module that the import hook finds."""
    script = DIRECTORY / "script.py"
    script.write_bytes(content)
    with errors_allowed():
        compiler.compiled(source.read(script), str(script))


def notebook_seeds() -> Iterator[bytes]:
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": script.splitlines(True)}
        for script in SCRIPTS
    ]
    kernel = {"name": "python2", "language": "python", "display_name": "Python 2"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python", "version": "2.7.12"}}
    yield json.dumps({"nbformat": 4, "metadata": metadata, "cells": cells}).encode()
    old = [{"cell_type": "code", "language": "python", "input": s} for s in SCRIPTS]
    yield json.dumps({"nbformat": 3, "worksheets": [{"cells": old}]}).encode()


def fuzz_notebook(content: bytes) -> None:
    path = DIRECTORY / "notebook.ipynb"
    path.write_bytes(content)
    with errors_allowed():
        compiler.compiled(Notebook(path).text, str(path))
    with errors_allowed():
        port_script(path)


# The server -------------------------------------------------------------------


CONFIG = Path(__file__).with_name("schemathesis.toml")


def web(seconds: int, seed: int) -> int:
    """Run Schemathesis against the server and return the number of requests."""
    command = [sys.executable, "-m", "deep_mnist.serve", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    address = server.stdout.readline().split()[0]
    tool = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"]
    tool += [f"{address}/api/openapi.json", "--seed", str(seed), "--max-examples", "100000"]
    tool += ["--phases", "examples,coverage,fuzzing", "--workers", "2", "--checks", "all"]
    tool += ["--max-time", str(seconds)]
    try:
        run = subprocess.run(tool, stdout=subprocess.PIPE, text=True, check=False)
    finally:
        server.terminate()
        server.wait(60)
    print(run.stdout)
    if run.returncode:
        sys.exit(run.returncode)
    found = re.search(r"(\d+) generated", run.stdout)
    assert found is not None
    return int(found[1])


# The fuzzer -------------------------------------------------------------------

TARGETS: dict[str, tuple[Callable[[], Iterator[bytes]], Callable[[bytes], None]]] = {
    "idx": (idx_seeds, fuzz_idx),
    "npz": (npz_seeds, fuzz_npz),
    **{
        kind.lower(): (
            functools.partial(image_seeds, kind),
            functools.partial(fuzz_image, kind),
        )
        for kind in image.FORMATS
    },
    "pixels": (pixels_seeds, fuzz_pixels),
    "tf_config": (tf_config_seeds, fuzz_tf_config),
    "flags": (flags_seeds, fuzz_flags),
    "state_file": (state_file_seeds, fuzz_state_file),
    "graph": (graph_seeds, fuzz_graph),
    "table": (table_seeds, fuzz_table),
    "notebook": (notebook_seeds, fuzz_notebook),
    "port": (port_seeds, fuzz_port),
    "module": (port_seeds, fuzz_module),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("target", choices=(*TARGETS, "web"))
    parser.add_argument("--seconds", type=int, help=f"duration (default: {SECONDS})")
    parser.add_argument("--seed", type=int, default=1, help="random seed (default: 1)")
    options = parser.parse_args()
    seconds = options.seconds or SECONDS
    run = web if options.target == "web" else functools.partial(fuzzed, options.target)
    inputs = run(seconds, options.seed)
    if options.seconds is None:
        values = {"seconds": seconds, "seed": options.seed, "inputs": inputs, "failures": 0}
        result_file.write(f"fuzz-{options.target}", values)


def fuzzed(target: str, seconds: int, seed: int) -> int:
    """Fuzz a target in a process of its own, which Atheris ends; return the number of inputs."""
    context = multiprocessing.get_context("fork")
    inputs = context.Value("q")
    process = context.Process(target=fuzz, args=(target, seconds, seed, inputs))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)
    return int(inputs.value)


def fuzz(target: str, seconds: int, seed: int, inputs: Synchronized[int]) -> None:
    """Fuzz a target, and end this process."""
    lazy_tensorflow.import_quietly()
    # Command lines are parsed, but nothing is started; the shapes of the models are kept.
    chief_failure.report_errors = lambda task: contextlib.nullcontext()  # type: ignore[assignment,return-value]
    distributed_launch.start = lambda *arguments: sys.exit()  # or the task ends this process
    local_cluster.run = lambda *arguments: 0
    local_cluster.exit_with_stdin = lambda: None
    serve._serve = lambda *arguments: None
    cached = functools.cache(inference.Program.variable_shapes)
    inference.Program.variable_shapes = cached  # type: ignore[method-assign]
    findings = Path(f"fuzz-{target}").absolute()
    findings.mkdir(exist_ok=True)
    corpus = DIRECTORY / "corpus"
    corpus.mkdir()
    seeds, test = TARGETS[target]
    for number, content in enumerate(seeds()):
        (corpus / str(number)).write_bytes(content)
    os.chdir(DIRECTORY)

    def counted(content: bytes) -> None:
        inputs.value += 1
        test(content)

    # The fuzzer itself uses most of the memory.
    libfuzzer = ["-timeout=120", "-rss_limit_mb=4096", "-max_len=20000", "-len_control=0"]
    libfuzzer += [f"-max_total_time={seconds}", f"-seed={seed}"]
    libfuzzer += [f"-artifact_prefix={findings}/", str(corpus)]
    atheris.Setup([sys.argv[0], *libfuzzer], counted)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
