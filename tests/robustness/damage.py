"""Commands that read randomly damaged files, one file per case.

    python tests/robustness/damage.py [--cases 2000] [--seconds N] [--seed 0]
        [--data-dir DIR] [--workers 2]

The files are those of small runs of softmax, cnn, mlp and fnn (checkpoints, the state file,
config.json, metrics.jsonl, result.json) and of MNIST (IDX files, raw and compressed, and
mnist.npz; skipped without --data-dir). Each case damages one file (corruptions.py) and calls a
command that reads it: --resume, --restore, predict, report or legacy checkpoint.

The command must end as without the damage: with the same weights, accuracy, predictions and
charts. Or it warns of what is lost and ends with the same weights. Or it exits with code 2 and one
error message. Where a file is deleted, it may also do without the file if it says so. Everything
else is a failure: other weights, a traceback, more than 60 s or 2 GB. Writes results/damage.json;
the directories of failures are kept and printed.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import itertools
import json
import os
import random
import re
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import corruptions
import result_file
from worker import MEMORY_LIMIT, PROCESS_ENDED, TIMED_OUT, TRACEBACK, Outcome, Worker

SETTINGS = {  # of the runs: three checkpoints each
    "softmax": "--steps 6 --batch-size 10 --save-every 2 --log-every 1",
    "cnn": "--steps 3 --batch-size 2 --save-every 1 --log-every 1 --optimizer gradient-descent",
    "mlp": "--steps 6 --batch-size 10 --save-every 2 --log-every 1 --variant raw-pixels",
    "fnn": "--steps 6 --batch-size 100 --save-every 2 --log-every 1",
}
LAST_STEP = {"softmax": 6, "cnn": 3, "mlp": 6, "fnn": 6}
PROGRAMS = tuple(SETTINGS)
RUN, NEW_RUN = "run", "second"
# One step from the restored weights: result.json of the new run has the digest of its weights.
TRAIN_FROM = ["--steps", "1", "--batch-size", "2", "--run-dir", NEW_RUN]

INDEX, DATA, NPZ = "checkpoint index", "checkpoint data", "checkpoint npz"
STATE_FILE = "checkpoint state file"
SUFFIXES = {INDEX: ".index", DATA: ".data-00000-of-00001", NPZ: ".npz"}
RUN_FILES = (*SUFFIXES, STATE_FILE, "config.json", "metrics.jsonl", "result.json")
COMMANDS = {  # by kind of file: the commands that read it, some more often
    INDEX: (*["resume"] * 3, "restore", "legacy checkpoint", "predict"),
    DATA: (*["resume"] * 3, "restore", "legacy checkpoint", "predict"),
    NPZ: (*["resume"] * 3, "restore", "predict"),
    STATE_FILE: ("resume", "restore", "restore the state file", "legacy checkpoint"),
    "config.json": (*["resume"] * 3, "restore", "predict", "report"),
    "metrics.jsonl": (*["resume"] * 5, "report"),
    "result.json": (*["resume a finished run"] * 3, "restore", "report"),
    "mnist.npz": ("restore on mnist",),
    "idx": ("restore on mnist",),
    "idx.gz": ("restore on mnist",),
}


class Case(NamedTuple):
    """A file, how it is damaged, and the command that reads it."""

    kind: str  # of file
    corruption: str
    program: str
    command: str
    file: str  # its name in the run's or the dataset's directory


# Cases and commands -----------------------------------------------------------


def draw_case(
    number: int, kinds: list[str], rng: random.Random, runs: Path, datasets: Path
) -> Case:
    """Return a random case; the kinds of files take turns."""
    kind = kinds[number % len(kinds)]
    command = rng.choice(COMMANDS[kind])
    corruption = rng.choice(corruptions.CHOICES)
    if kind not in RUN_FILES:
        names = sorted(path.name for path in (datasets / kind).iterdir())
        return Case(kind, corruption, "softmax", command, rng.choice(names))
    program = rng.choice(["fnn"] if kind == NPZ else PROGRAMS)
    if program == "fnn" and kind in (INDEX, DATA, STATE_FILE):
        program = rng.choice(("softmax", "mlp"))
    if kind in SUFFIXES:
        names = sorted(path.name for path in (runs / program).glob(f"*{SUFFIXES[kind]}"))
        if command == "resume":
            names = names[:-1]  # the last checkpoint is removed
        file = rng.choice([*names, names[-1], names[-1]])
        return Case(kind, corruption, program, command, file)
    return Case(kind, corruption, program, command, {STATE_FILE: "checkpoint"}.get(kind, kind))


def arguments(program: str, command: str, image: Path) -> list[str]:
    """Return the module of a command, and its argv."""
    synthetic = ["--dataset", "generated"]
    return {
        "resume": [program, "--resume", RUN],
        "resume a finished run": [program, "--resume", RUN],
        "restore": [program, "--restore", RUN, *synthetic, *TRAIN_FROM],
        "restore the state file": [program, "--restore", f"{RUN}/checkpoint", *synthetic],
        "restore on mnist": [program, "--restore", "--dataset", "mnist", "--data-dir", "data"],
        "legacy checkpoint": ["legacy.checkpoint", RUN],
        "predict": ["predict", "--model", program, "--restore", RUN, "--json", str(image)],
        "report": ["report.__main__", RUN, "--out", "charts"],
    }[command]


def prepare(case: Case, run: Path, datasets: Path, directory: Path) -> Path:
    """Create the directory of a case, undamaged, and return the file to damage."""
    directory.mkdir()
    if case.kind not in RUN_FILES:
        (directory / "data").mkdir()
        for path in (datasets / case.kind).iterdir():
            (directory / "data" / path.name).symlink_to(path)
        return directory / "data" / case.file
    copy = directory / RUN
    shutil.copytree(run, copy, copy_function=copy_or_link)
    if case.command == "resume":  # as if killed before the last step was saved
        last = f"-{LAST_STEP[case.program]}."
        for path in (copy / "result.json", *copy.glob(f"model*{last}*")):
            path.unlink()
    return copy / case.file


def copy_or_link(source: str, target: str) -> None:
    """Link large files, which no program writes in place; copy the others."""
    if ".data-" in source:
        os.link(source, target)
    else:
        shutil.copy(source, target)


def run_command(worker: Worker, case: Case, image: Path, directory: Path) -> Outcome:
    """Call the command of a case in its directory."""
    outcome = worker.call(arguments(case.program, case.command, image), directory)
    return outcome._replace(written=written(directory))


def written(directory: Path) -> tuple[Any, ...]:
    """Return what a command wrote: result and reports of a run without times, and charts."""
    run = directory / (NEW_RUN if (directory / NEW_RUN).is_dir() else RUN)
    charts = sorted((directory / "charts").glob("*")) if (directory / "charts").is_dir() else []
    digests = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in charts]
    result: tuple[Any, ...] = ()
    reports: list[Any] = []
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        values = json.loads((run / "result.json").read_text("utf-8"))
        result = (values["weights_sha256"], values["test_accuracy"], values["loss"])
    with contextlib.suppress(OSError, ValueError):
        lines = (run / "metrics.jsonl").read_text("utf-8").splitlines()
        reports = [{**json.loads(line), "seconds": 0, "crc32": 0} for line in lines]
    return result, reports, digests


# Classification of outcomes ---------------------------------------------------


def classify(case: Case, found: Outcome, expected: Outcome) -> str:
    """Return how a case ended; failures start with FAILURE."""
    failure = find_failure(case, found)
    if failure is not None:
        return f"FAILURE: {failure}"
    if found.code == 2:
        return "error message"
    warnings = found.stderr.splitlines()
    same = is_same(case, found, expected)
    same_weights = found.written[0] == expected.written[0]
    if not same and warnings and case.command in ("resume", "restore") and same_weights:
        return "same weights, reports lost, with a warning"
    if not same and case.corruption == corruptions.DELETE and restored(found) != restored(expected):
        return "older checkpoint restored and named"
    if same and any(": skipped: checkpoint " in line for line in warnings):
        return "same result from an older checkpoint, with a warning"
    if same:
        return "same result"
    if not any(case.file in line for line in warnings):
        return "FAILURE: different result without a warning"
    if case.command.startswith("resume"):
        return "FAILURE: other weights"
    return "different result, reported"


def find_failure(case: Case, found: Outcome) -> str | None:
    """Return what is wrong with an outcome, whatever was expected."""
    if found.memory > MEMORY_LIMIT:
        return f"{found.memory >> 20} MB"
    special = {TRACEBACK: "traceback", TIMED_OUT: "timeout", PROCESS_ENDED: "process ended"}
    if found.code in special:
        return special[found.code]
    command = case.command
    name = case.program if command.startswith(("resume", "restore")) else command
    lines = found.stderr.splitlines()
    ours = re.compile(rf"error: {name}: |warning: |hint: ")
    if any(not ours.match(line) or len(line) > 2000 for line in lines):
        return "lines on standard error that are not ours"
    errors = sum(line.startswith("error: ") for line in lines)
    if found.code not in (0, 2):
        return f"exit code {found.code}"
    if errors != (1 if found.code == 2 else 0):
        return f"{errors} error messages with exit code {found.code}"
    return None


def is_same(case: Case, found: Outcome, expected: Outcome) -> bool:
    """Return whether a command did what it does without the damage."""
    deleted = case.corruption == corruptions.DELETE
    if case.command == "report":
        if deleted and case.kind == "result.json":  # an unfinished run has fewer charts
            names, all_names = ({name for name, _ in o.written[2]} for o in (found, expected))
            return names < all_names
        return bool(found.written[2] == expected.written[2])
    if case.command.startswith(("resume", "restore")) and case.kind in RUN_FILES and deleted:
        return bool(found.written[0] == expected.written[0])
    if case.command in ("resume", "restore"):
        return found.written[:2] == expected.written[:2]
    return found.stdout.splitlines()[-1:] == expected.stdout.splitlines()[-1:]


def restored(outcome: Outcome) -> list[str]:
    """Return the lines that name the checkpoint that was restored or described."""
    lines = outcome.stdout.splitlines()
    return [line for line in lines if re.match(rf"restored |{RUN}/model", line)]


# The campaign -----------------------------------------------------------------


def create_runs(worker: Worker, directory: Path) -> None:
    """Train the runs whose files are damaged."""
    for program, settings in SETTINGS.items():
        command = [program, *settings.split(), "--dataset", "generated", "--run-dir", program]
        outcome = worker.call(command, directory)
        if outcome.code != 0:
            raise SystemExit(f"{program}: {outcome.stderr}")


def copy_datasets(source: Path, directory: Path) -> None:
    """Write MNIST in three forms."""
    import numpy as np

    from deep_mnist.data import idx

    arrays = {}
    for kind in ("idx", "idx.gz", "mnist.npz"):
        (directory / kind).mkdir(parents=True)
    keys = ("x_train", "y_train", "x_test", "y_test")
    parts = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    for key, part in zip(keys, parts, strict=True):
        name = f"{part}-ubyte"
        raw, compressed = source / name, source / f"{name}.gz"
        arrays[key] = idx.read(compressed if compressed.exists() else raw)
        idx.write(directory / "idx" / name, arrays[key])
        idx.write(directory / "idx.gz" / f"{name}.gz", arrays[key])
    np.savez_compressed(
        directory / "mnist.npz" / "mnist.npz",
        **arrays,  # type: ignore[arg-type]
    )


def draw_image(path: Path) -> None:
    """Write a synthetic digit as a PNG file."""
    from deep_mnist.data import synthetic
    from deep_mnist.vision import image

    images, _ = synthetic.digits(1, 7)
    image.write_png(path, images[0])


class Campaign:
    """The directory, the workers and the cases."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.seed = options.seed
        self.seconds = options.seconds or float("inf")
        self.directory = Path(tempfile.mkdtemp(prefix="damage-"))
        self.runs = self.directory / "runs"
        self.datasets = self.directory / "datasets"
        self.image = self.directory / "digit.png"
        self.runs.mkdir()
        draw_image(self.image)
        if options.data_dir is not None:
            copy_datasets(options.data_dir.absolute(), self.datasets)
        self.kinds = [k for k in COMMANDS if k in RUN_FILES or options.data_dir is not None]
        self.workers = [Worker() for _ in range(options.workers)]
        create_runs(self.workers[0], self.runs)
        self.cases = [
            draw_case(n, self.kinds, self.rng(str(n)), self.runs, self.datasets)
            for n in range(options.cases)
        ]
        self.repeated: list[int] = []  # cases that timed out once

    def rng(self, name: str) -> random.Random:
        """Return a random generator of its own."""
        return random.Random(f"{self.seed} {name}")

    @functools.cache  # noqa: B019 - there is one campaign
    def undamaged(self, kind: str, program: str, command: str) -> Outcome:
        """Return the outcome of a command without damage."""
        case = Case(kind, "", program, command, "config.json")
        directory = self.directory / f"undamaged-{kind}-{program}-{command}".replace(" ", "-")
        prepare(case, self.runs / program, self.datasets, directory)
        outcome = run_command(self.workers[0], case, self.image, directory)
        if outcome.code != 0:
            raise SystemExit(f"{directory}: {outcome.stderr}")
        return outcome

    def expected(self, case: Case) -> Outcome:
        """Return the outcome of a case's command without damage."""
        kind = "config.json" if case.kind in RUN_FILES else case.kind  # equal for all files of runs
        return self.undamaged(kind, case.program, case.command)

    def damaged(self, number: int, directory: Path) -> Outcome:
        """Return the outcome of a case."""
        case, worker = self.cases[number], self.workers[number % len(self.workers)]
        file = prepare(case, self.runs / case.program, self.datasets, directory)
        corruptions.corrupt(file, case.corruption, self.rng(f"{number} damage"))
        return run_command(worker, case, self.image, directory)

    def run_case(self, number: int) -> str:
        """Return how a case ended."""
        case, directory = self.cases[number], self.directory / f"case-{number}"
        found = self.damaged(number, directory)
        if found.code == TIMED_OUT:  # perhaps the machine was busy
            self.repeated.append(number)
            shutil.rmtree(directory)
            found = self.damaged(number, directory)
        end = classify(case, found, self.expected(case))
        if end.startswith("FAILURE"):
            print(f"{directory}: {end}: {case}\n{found.stderr[-1500:]}", flush=True)
        else:
            shutil.rmtree(directory)
        return end

    def run(self) -> dict[int, str]:
        """Return how the cases ended, by number."""
        for case in self.cases:
            self.expected(case)  # before the workers work at the same time
        end = time.monotonic() + self.seconds

        def run_share(worker: int) -> dict[int, str]:
            numbers = range(worker, len(self.cases), len(self.workers))
            in_time = itertools.takewhile(lambda _: time.monotonic() < end, numbers)
            return {number: self.run_case(number) for number in in_time}

        with ThreadPoolExecutor(len(self.workers)) as pool:
            shares = list(pool.map(run_share, range(len(self.workers))))
        for worker in self.workers:
            worker.stop()
        return {number: end for share in shares for number, end in sorted(share.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=2000, help="number of cases (default: 2000)")
    parser.add_argument("--seconds", type=float, help="stop after this time, and write no results")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    parser.add_argument("--data-dir", type=Path, help="directory with MNIST")
    parser.add_argument("--workers", type=int, default=2, help="number of processes (default: 2)")
    options = parser.parse_args()

    campaign = Campaign(options)
    ends = campaign.run()
    by_file: dict[str, Counter[str]] = {kind: Counter() for kind in campaign.kinds}
    by_corruption: dict[str, Counter[str]] = {name: Counter() for name in corruptions.CHOICES}
    for number, end in ends.items():
        case = campaign.cases[number]
        by_file[case.kind][end] += 1
        by_corruption[case.corruption][end] += 1
    failures = [
        f"case {number}: {campaign.cases[number]}: {end}"
        for number, end in ends.items()
        if end.startswith("FAILURE")
    ]
    if options.seconds is None:
        result_file.write(
            "damage",
            {
                "cases": len(ends),
                "seed": options.seed,
                "by_file": by_file,
                "by_corruption": by_corruption,
                "timeouts_not_repeated": len(campaign.repeated),
                "failures": failures,
            },
        )
    if failures:
        raise SystemExit("\n".join(failures))
    shutil.rmtree(campaign.directory)


if __name__ == "__main__":
    main()
