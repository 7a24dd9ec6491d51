"""What reads bytes from outside, fed with whatever reaches new lines of it: answers, or refuses.

    python benchmarks/fuzz.py TARGET [--seconds 600] [--seed 1]

TARGET is a function below: idx, npz, picture, pixels, tf_config, flags, state, graph, table (TF1
checkpoints of both formats, whose checksums are made right again), or web: the real server under
schemathesis, by its own description. Anything but an answer or a DeepMnistError (DatasetError,
ImageError) in one line ends the run, and its input is left in fuzz-TARGET/. The tools are not
those of the package: pip install -r benchmarks/fuzz-requirements.txt
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import atheris
import leveldb_table
import numpy as np

with atheris.instrument_imports(include=["deep_mnist", "zipfile", "gzip", "PIL"]):
    import gzip
    import zipfile

    from PIL import Image

    Image.init()  # imports the decoders
    from deep_mnist import cnn, fnn, inference, lazy_tensorflow, mlp, predict, serve, softmax
    from deep_mnist.checkpoints import npz_reader, paths, reader
    from deep_mnist.cli import flags, launch
    from deep_mnist.data import idx
    from deep_mnist.data import npz as npz_file
    from deep_mnist.distributed import cluster_spec, local_cluster, start
    from deep_mnist.errors import DatasetError, DeepMnistError
    from deep_mnist.export import __main__ as export
    from deep_mnist.lazy_tensorflow import tf as tf1
    from deep_mnist.legacy import checkpoint
    from deep_mnist.report import __main__ as report
    from deep_mnist.vision import image

HERE = Path(tempfile.mkdtemp(prefix="fuzz-"))
FILE = HERE / "file"
REFUSALS = (DeepMnistError, DatasetError)


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Lets a mistake of the user's pass that is told in a line."""
    try:
        yield
    except REFUSALS as error:
        assert 0 < len(str(error)) < 50_000, len(str(error))  # words of 5,000 are said again


# Data -------------------------------------------------------------------------


def idx_seeds() -> Iterator[bytes]:
    for array in (np.zeros((2, 3, 4), np.uint8), np.arange(5, dtype=np.uint8)):
        content = idx.header(array) + array.tobytes()
        yield content
        yield gzip.compress(content)


def fuzz_idx(content: bytes) -> None:
    with refusals():
        idx.read_stream(io.BytesIO(content), "it")


def npz_seeds() -> Iterator[bytes]:
    arrays = {name: np.zeros((2,) * n, np.uint8) for name, n in npz_file.MNIST_DIMENSIONS.items()}
    for save in (np.savez, np.savez_compressed):
        for values in (arrays, {"W1": np.ones((2, 3), ">f4"), "step": np.int64(7)}):
            file = io.BytesIO()
            save(file, **values)
            yield b"\0" + file.getvalue()
    array = io.BytesIO()
    np.save(array, np.ones((2, 3)))
    yield b"\1" + array.getvalue()


def fuzz_npz(content: bytes) -> None:
    """A zip as it is, or a sound one with this for its array."""
    if content[:1] == b"\1":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name in (*npz_file.MNIST_DIMENSIONS, "W1"):
                archive.writestr(f"{name}.npy", content[1:])
        FILE.write_bytes(file.getvalue())
    else:
        FILE.write_bytes(content[1:])
    with refusals():
        npz_file.read_mnist(FILE)
    with refusals():
        npz_reader.read_specs(FILE)
    with refusals():
        opened = reader.open_checkpoint(paths.find(str(FILE)))
        for name in opened.specs:
            with refusals():
                opened.read(name)


# Pictures ---------------------------------------------------------------------


def picture_seeds() -> Iterator[bytes]:
    grey = np.full((40, 30), 255, np.uint8)
    grey[8:32, 14:17] = 0
    for mode in ("L", "RGB", "RGBA", "P", "1", "LA", "I;16", "F", "CMYK"):
        for kind in image.FORMATS:
            file = io.BytesIO()
            with contextlib.suppress(OSError, ValueError, KeyError):
                if mode == "I;16":
                    Image.fromarray(grey.astype(np.uint16) * 257).save(file, kind)
                else:
                    Image.fromarray(grey).convert(mode).save(file, kind)
                yield file.getvalue()


def fuzz_picture(content: bytes) -> None:
    with refusals():
        image.digits(image.read(content))


def pixels_seeds() -> Iterator[bytes]:
    generator = np.random.default_rng(0)
    for shape in ((1, 1), (1, 40), (40, 1), (3, 3), (28, 28), (30, 60)):
        yield bytes(shape) + generator.integers(0, 256, shape[0] * shape[1], np.uint8).tobytes()
        yield bytes(shape) + bytes(shape[0] * shape[1])


def fuzz_pixels(content: bytes) -> None:
    """Any grey values in any shape, as a decoder may give them; floats are anything, NaN too."""
    if len(content) < 4:
        return
    height, width = max(content[0], 1), max(content[1], 1)
    as_floats = content[2] % 4 == 0
    dtype = np.dtype(np.float32 if as_floats else np.uint8)
    values = np.frombuffer(content[3:].ljust(1, b"\0"), np.uint8)
    values = np.resize(values, height * width * dtype.itemsize).view(dtype)
    file = io.BytesIO()
    Image.fromarray(values.reshape(height, width)).save(file, "TIFF")
    with refusals():
        image.digits(image.read(file.getvalue()))


# The command line and the environment -----------------------------------------


def tf_config_seeds() -> Iterator[bytes]:
    cluster = {"chief": ["a:1"], "ps": {"1": "b:2"}, "worker": ["[::1]:3", "c.d:4"]}
    for task in ({"type": "worker", "index": 1}, {"type": "evaluator"}, {"type": "ps", "index": 0}):
        yield json.dumps({"cluster": cluster, "task": task}).encode()
    yield b"ps=a:1,b:2 worker=c:3 worker:0"


def fuzz_tf_config(content: bytes) -> None:
    text = content.decode("utf-8", "surrogateescape")
    with refusals():
        cluster_spec.from_tf_config(text)
    *words, task = text.split(" ")
    with refusals():
        cluster_spec.from_flags(words, task)


FLAGS = sorted(
    "--steps --batch-size --learning-rate --seed --dataset --data-dir --run-dir --resume --restore "
    "--eval-only --log-every --save-every --keep --quiet --recipe --schedule --optimizer --loss "
    "--keep-prob --beta2 --average-decay --augmentation --plain-steps --precision --dtype --model "
    "--variant --picture --save-picture --summaries --trace-every --cluster --task --strategy "
    "--local-cluster --sync --backup-workers --stall-timeout --intra-op-threads --csv --json --out "
    "--html --format --host --port --take --convert --show --save-input --gradient-check".split()
)
VALUES = [
    *"0 1 -1 2 1.5 nan inf 1e999 1e-999 mnist generated auto adam best tutorial no/such . / "
    "run worker:0 ps=a:1 worker=b:2 1ps,2w all-reduce float32 raw-pixels svg ٣ 1_0 0x10 -- - '' "
    "a\udcff é \n 99999999999999999999".split(" "),
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
PROGRAMS = {"softmax": softmax, "cnn": cnn, "mlp": mlp, "fnn": fnn}


def flags_seeds() -> Iterator[bytes]:
    yield from (bytes([n, *range(n, n + 12)]) for n in range(0, 200, 9))


def fuzz_flags(content: bytes) -> None:
    """A command line of known and of unknown words; nothing is trained, served or converted."""
    data = atheris.FuzzedDataProvider(content)
    program = data.PickValueInList([*PROGRAMS, *PARSERS])
    argv = []
    for _ in range(data.ConsumeIntInRange(0, 8)):
        kind = data.ConsumeIntInRange(0, 9)
        if kind < 5:
            argv.append(data.PickValueInList(FLAGS))
        elif kind < 9:
            argv.append(data.PickValueInList(VALUES))
        else:
            argv.append(os.fsdecode(data.ConsumeBytes(8).replace(b"\0", b"")))
    if "--gradient-check" in argv and program == "fnn":
        return
    out, said = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        try:
            if program in PROGRAMS:
                code = launched(program, argv)
            else:
                with refusals():
                    done = PARSERS[program](argv)
                    assert not isinstance(done, int) or done in (0, 2), done
                return
        except SystemExit as done:
            assert not done.code, done.code  # --help
            return
    lines = said.getvalue().splitlines()
    assert code in (0, 2), code
    assert code == 0 or len([line for line in lines if line.startswith(program)]) == 1, lines


def launched(program: str, argv: list[str]) -> int:
    """The command line of a program up to where it would train."""

    def train(config: Any, options: flags.Options) -> None:
        print(config, options.run_dir)

    module = PROGRAMS[program]
    own = {"numpy_only": program == "fnn", "distributed": program in ("softmax", "cnn")}
    return launch(program, module.Config, train, module.__doc__, argv, **own)


# Checkpoints ------------------------------------------------------------------


def state_seeds() -> Iterator[bytes]:
    for name in ("model.ckpt-9", "/home/ada/run/model.ckpt-9", r"C:\\run\\other.ckpt"):
        yield f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "{name}"\n'.encode()


def fuzz_state(content: bytes) -> None:
    run = HERE / "run"
    run.mkdir(exist_ok=True)
    for name in ("model.ckpt-9.index", "other.ckpt.index"):
        (run / name).touch()
    (run / "checkpoint").write_bytes(content)
    with refusals():
        paths.find(str(run))
    with refusals():
        paths.find(str(run / "checkpoint"))


def graph_seeds() -> Iterator[bytes]:
    with tf1.Graph().as_default() as graph:
        for dtype in ("float32", "float64", "float16", "bfloat16", "int32", "string", "bool"):
            value: Any = {"string": [["a", "b"]], "bool": [[True, False]]}.get(dtype, [[1, 0]])
            tf1.constant(value, tf1.as_dtype(dtype), name=f"W_{dtype}")
        yield graph.as_graph_def().SerializeToString()


def fuzz_graph(content: bytes) -> None:
    path = HERE / "graph.pb"
    path.write_bytes(content)
    read_all(path)


def read_all(path: Path) -> None:
    """All of a file of variables, and what it would be to the models."""
    with refusals():
        file = reader.open_checkpoint(paths.find(str(path)))
        for name in file.specs:
            with refusals():
                file.read(name)
        with refusals():
            inference.fits(file, inference.GRAPHS)


def saved(version: int) -> Path:
    """A checkpoint of TF1's Saver, as small as they come."""
    prefix = HERE / f"seed-v{version}"
    if not list(HERE.glob(f"{prefix.name}*")):
        with tf1.Graph().as_default(), tf1.Session() as sess:
            tf1.Variable(tf1.ones([3, 2]), name="W")
            tf1.Variable(tf1.zeros([2], tf1.int64), name="b")
            sess.run(tf1.global_variables_initializer())
            saver = tf1.train.Saver(write_version=version)
            saver.save(sess, str(prefix), write_meta_graph=False, write_state=False)
    return prefix


def table_seeds() -> Iterator[bytes]:
    for version in (1, 2):
        path = saved(version)
        yield bytes([version]) + leveldb_table.pack(
            leveldb_table.read(path if version == 1 else index(path))
        )


def fuzz_table(content: bytes) -> None:
    """Keys and values of a checkpoint's table, in a sound table with the right checksums."""
    path = HERE / "model.ckpt"
    one_file = content[:1] == b"\1"
    (path if one_file else index(path)).write_bytes(
        leveldb_table.write(leveldb_table.unpack(content[1:]))
    )
    if one_file:
        index(path).unlink(missing_ok=True)
    else:
        path.unlink(missing_ok=True)
        data = ".data-00000-of-00001"
        shutil.copy(f"{saved(2)}{data}", f"{path}{data}")
    read_all(path)


def index(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.index")


# The server -------------------------------------------------------------------


# Its check of what is refused knows neither 413 nor that a blank picture has no digit.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)


def web(seconds: int, seed: int) -> int:
    """schemathesis against the running server: its exit code."""
    command = [sys.executable, "-m", "deep_mnist.serve", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    address = server.stdout.readline().split()[0]
    tool = [shutil.which("schemathesis", path=Path(sys.executable).parent) or "schemathesis", "run"]
    tool += [f"{address}/api/openapi.json", "--seed", str(seed), "--max-examples", "100000"]
    tool += ["--phases", "examples,coverage,fuzzing", "--workers", "2", "--checks", CHECKS]
    try:
        return subprocess.run([*tool, "--max-time", str(seconds)], check=False).returncode
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


# The fuzzer -------------------------------------------------------------------

TARGETS = ("idx", "npz", "picture", "pixels", "tf_config", "flags", "state", "graph", "table")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("target", choices=(*TARGETS, "web"))
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.target == "web":
        sys.exit(web(options.seconds, options.seed))
    lazy_tensorflow.import_quietly()
    # Flags are read, but no cluster is formed, no page served; graphs are built once.
    start.start = lambda *arguments: None
    local_cluster.run = lambda *arguments: 0
    serve._serve = lambda *arguments: None
    inference._variable_shapes = functools.cache(inference._variable_shapes)
    findings = Path(f"fuzz-{options.target}").absolute()
    findings.mkdir(exist_ok=True)
    corpus = HERE / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(globals()[f"{options.target}_seeds"]()):
        (corpus / str(number)).write_bytes(seed)
    os.chdir(HERE)
    # Memory is the fuzzer's own, for the most part, which grows.
    libfuzzer = ["-timeout=120", "-rss_limit_mb=4096", "-max_len=20000", "-len_control=0"]
    libfuzzer += [f"-max_total_time={options.seconds}", f"-seed={options.seed}"]
    libfuzzer += ["-print_final_stats=1", f"-artifact_prefix={findings}/", str(corpus)]
    atheris.Setup([sys.argv[0], *libfuzzer], globals()[f"fuzz_{options.target}"])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
