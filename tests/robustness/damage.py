"""Files damaged at random, one a case: a command works as if they were not, or refuses in a line.

    python benchmarks/damage.py [--cases 2000] [--seed 0] [--data-dir DIR] [--workers 2]

The files are those of small runs of softmax, cnn, mlp and fnn (checkpoints, the state file,
config.json, metrics.jsonl, result.json) and of MNIST (IDX, raw and gzipped, and mnist.npz; left out
without --data-dir). Each is flipped, zeroed, overwritten, cut, lengthened, emptied or deleted, and
read by a command that reads such files: --resume, --restore, predict, report, legacy checkpoint.

It must end with what it prints and leaves where nothing is damaged: the same weights, accuracy,
answers, pictures; or say what it does without and still end with the same weights; or exit with 2
and one line. What is deleted may also be done without, where that is said. Anything else is a
fault: other weights, a traceback, more than 60 s, 2 GB. Writes results/damage.json; faulty cases
keep their directories and are listed.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import json
import os
import random
import re
import shutil
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import corruptions
import report
from worker import HANG, LOST, MEMORY, TRACEBACK, Outcome, Worker

SETTINGS = {  # of the runs: three checkpoints each
    "softmax": "--steps 6 --batch-size 10 --save-every 2 --log-every 1",
    "cnn": "--steps 3 --batch-size 2 --save-every 1 --log-every 1 --optimizer gradient-descent",
    "mlp": "--steps 6 --batch-size 10 --save-every 2 --log-every 1 --variant raw-pixels",
    "fnn": "--steps 6 --batch-size 100 --save-every 2 --log-every 1",
}
LAST = {"softmax": 6, "cnn": 3, "mlp": 6, "fnn": 6}
RUN, NEW_RUN = "run", "second"
# A step from the restored weights on: their fingerprint is in the new run's result.
TRAINED_ON = ["--steps", "1", "--batch-size", "2", "--run-dir", NEW_RUN]


class Case(NamedTuple):
    """A file, a command that reads it, and how the file is damaged."""

    kind: str  # of file
    manner: str
    program: str
    command: str
    file: str  # its name in the run's directory, or in the data's


# The commands -----------------------------------------------------------------

PROGRAMS = ("softmax", "cnn", "mlp", "fnn")
COMMANDS = {
    "index": (*["resume"] * 3, "restore", "legacy checkpoint", "predict"),
    "data": (*["resume"] * 3, "restore", "legacy checkpoint", "predict"),
    "npz": (*["resume"] * 3, "restore", "predict"),
    "state": ("resume", "restore", "restore the state file", "legacy checkpoint"),
    "config.json": (*["resume"] * 3, "restore", "predict", "report"),
    "metrics.jsonl": (*["resume"] * 5, "report"),
    "result.json": (*["resume a finished run"] * 3, "restore", "report"),
    "mnist.npz": ("restore on mnist",),
    "idx": ("restore on mnist",),
    "idx.gz": ("restore on mnist",),
}
OF_RUNS = ("index", "data", "npz", "state", "config.json", "metrics.jsonl", "result.json")


def arguments(program: str, command: str, picture: Path) -> list[str]:
    """The module of a command, and its argv."""
    synthetic = ["--dataset", "generated"]
    return {
        "resume": [program, "--resume", RUN],
        "resume a finished run": [program, "--resume", RUN],
        "restore": [program, "--restore", RUN, *synthetic, *TRAINED_ON],
        "restore the state file": [program, "--restore", f"{RUN}/checkpoint", *synthetic],
        "restore on mnist": [program, "--restore", "--dataset", "mnist", "--data-dir", "data"],
        "legacy checkpoint": ["legacy.checkpoint", RUN],
        "predict": ["predict", "--model", program, "--restore", RUN, "--json", str(picture)],
        "report": ["report.__main__", RUN, "--out", "pictures"],
    }[command]


def prepare(case: Case, whole: Path, data: Path, here: Path) -> Path:
    """Makes the directory of a case, undamaged as yet; returns the file that is to be."""
    here.mkdir()
    if case.kind not in OF_RUNS:
        (here / "data").mkdir()
        for path in (data / case.kind).iterdir():
            (here / "data" / path.name).symlink_to(path)
        return here / "data" / case.file
    run = here / RUN
    shutil.copytree(whole, run, copy_function=copy)
    if case.command == "resume":  # as if it had been killed before its last step was saved
        for path in (run / "result.json", *last_checkpoint(run, case.program)):
            path.unlink()
    return run / case.file


def copy(source: str, target: str) -> None:
    """Links what is large, and what no program writes in place."""
    if ".data-" in source:
        os.link(source, target)
    else:
        shutil.copy(source, target)


def last_checkpoint(run: Path, program: str) -> list[Path]:
    return [path for path in run.iterdir() if f"-{LAST[program]}." in path.name]


def draw_case(
    number: int, kinds: list[str], chance: random.Random, whole: Path, data: Path
) -> Case:
    """Goes through the kinds of file; all else is by chance."""
    kind = kinds[number % len(kinds)]
    command = chance.choice(COMMANDS[kind])
    manner = chance.choice(corruptions.ALL)
    if kind not in OF_RUNS:
        names = sorted(path.name for path in (data / kind).iterdir())
        return Case(kind, manner, "softmax", command, chance.choice(names))
    program = chance.choice(["fnn"] if kind == "npz" else PROGRAMS)
    if program == "fnn" and kind in ("index", "data", "state"):
        program = chance.choice(("softmax", "mlp"))
    suffixes = {"index": ".index", "data": ".data-00000-of-00001", "npz": ".npz"}
    if kind in suffixes:
        names = sorted(path.name for path in (whole / program).glob(f"*{suffixes[kind]}"))
        if command == "resume":
            names = names[:-1]  # the last is not there
        return Case(kind, manner, program, command, chance.choice([*names, names[-1], names[-1]]))
    return Case(kind, manner, program, command, {"state": "checkpoint"}.get(kind, kind))


# The verdict ------------------------------------------------------------------


def left_by(here: Path) -> tuple[Any, ...]:
    """What a command wrote: the result and reports of a run without times, pictures."""
    run = here / (NEW_RUN if (here / NEW_RUN).is_dir() else RUN)
    pictures = sorted((here / "pictures").glob("*")) if (here / "pictures").is_dir() else []
    drawn = [(p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in pictures]
    result: tuple[Any, ...] = ()
    reports: list[Any] = []
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        values = json.loads((run / "result.json").read_text("utf-8"))
        result = (values["weights_sha256"], values["test_accuracy"], values["loss"])
    with contextlib.suppress(OSError, ValueError):
        lines = (run / "metrics.jsonl").read_text("utf-8").splitlines()
        reports = [{**json.loads(line), "seconds": 0, "crc32": 0} for line in lines]
    return result, reports, drawn


def verdict(case: Case, found: Outcome, expected: Outcome) -> str:
    """One word or two of how a case ended; a fault begins with FAULT."""
    lines = found.said.splitlines()
    if found.memory > MEMORY:
        return f"FAULT: {found.memory >> 20} MB"
    if found.code == TRACEBACK:
        return "FAULT: traceback"
    if found.code == HANG:
        return "FAULT: hang"
    if found.code == LOST:
        return "FAULT: process lost"
    prefix = case.program if case.command.startswith("re") else case.command.split()[0]
    if case.command == "report":
        prefix = "report"
    if any(not line.startswith(prefix) or len(line) > 2000 for line in lines):
        return "FAULT: lines that are not ours"
    if found.code == 2:
        told = [line for line in lines if "passed over: " not in line]
        return "refused" if len(told) == 1 else "FAULT: not one line"
    if found.code != 0:
        return f"FAULT: exit code {found.code}"
    if case.command == "report":
        same = found.left[2] == expected.left[2]
        if case.manner == "delete" and case.kind == "result.json":  # a run under way has no result
            same = {name for name, _ in found.left[2]} < {name for name, _ in expected.left[2]}
    elif case.command.startswith("re") and case.kind in OF_RUNS and case.manner == "delete":
        same = found.left[0] == expected.left[0]
    elif case.command in ("resume", "restore"):
        same = found.left[:2] == expected.left[:2]
        if not same and lines and found.left[0] == expected.left[0]:
            return "as undamaged, but for reports, and said so"
    else:
        same = found.out.splitlines()[-1:] == expected.out.splitlines()[-1:]
    if not same and case.manner == "delete" and took(found) != took(expected):
        return "an older checkpoint, and said so"
    if same:
        return "as undamaged, by an older checkpoint" if went_back(found) else "as undamaged"
    if not any(case.file in line for line in lines):
        return "FAULT: other results, nothing said"
    if case.command.startswith("resume"):
        return "FAULT: other weights"
    return "other results, and said why"


def took(outcome: Outcome) -> list[str]:
    """Which checkpoint was said to be restored, or described."""
    return [line for line in outcome.out.splitlines() if re.match(rf"restored |{RUN}/model", line)]


def went_back(found: Outcome) -> bool:
    return "passed over: checkpoint" in found.said


# The campaign -----------------------------------------------------------------


def ask(worker: Worker, case: Case, picture: Path, here: Path) -> Outcome:
    outcome = worker.call(arguments(case.program, case.command, picture), here)
    return outcome._replace(left=left_by(here))


def make_runs(worker: Worker, whole: Path) -> None:
    for program, settings in SETTINGS.items():
        words = [program, *settings.split(), "--dataset", "generated", "--run-dir", program]
        made = worker.call(words, whole)
        if made.code != 0:
            raise SystemExit(f"{program}: {made.said}")


def copy_data(source: Path, data: Path) -> None:
    """MNIST in three forms."""
    import numpy as np

    from deep_mnist.data import idx

    arrays = {}
    for kind in ("idx", "idx.gz", "mnist.npz"):
        (data / kind).mkdir(parents=True)
    keys = ("x_train", "y_train", "x_test", "y_test")
    parts = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    for key, part in zip(keys, parts, strict=True):
        name = f"{part}-ubyte"
        raw, packed = source / name, source / f"{name}.gz"
        arrays[key] = idx.read(packed if packed.exists() else raw)
        idx.write(data / "idx" / name, arrays[key])
        idx.write(data / "idx.gz" / f"{name}.gz", arrays[key])
    np.savez_compressed(data / "mnist.npz" / "mnist.npz", **arrays)  # type: ignore[arg-type]


def draw_picture(path: Path) -> None:
    from deep_mnist.data import synthetic
    from deep_mnist.vision import image

    images, _ = synthetic.digits(1, 7)
    image.write_png(path, images[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="damage-"))
    whole, data, picture = work / "whole", work / "data", work / "five.png"
    whole.mkdir()
    draw_picture(picture)
    if options.data_dir is not None:
        copy_data(options.data_dir.absolute(), data)
    kinds = [kind for kind in COMMANDS if kind in OF_RUNS or options.data_dir is not None]
    workers = [Worker() for _ in range(options.workers)]
    make_runs(workers[0], whole)

    @functools.cache
    def undamaged(kind: str, program: str, command: str) -> Outcome:
        case = Case(kind, "", program, command, "config.json")
        here = work / f"undamaged-{kind}-{program}-{command.replace(' ', '-')}"
        prepare(case, whole / program, data, here)
        outcome = ask(workers[0], case, picture, here)
        if outcome.code != 0:
            raise SystemExit(f"{here}: {outcome.said}")
        return outcome

    cases = []
    for number in range(options.cases):
        chance = random.Random(f"{options.seed} {number}")
        cases.append(draw_case(number, kinds, chance, whole, data))
    for case in cases:
        undamaged(
            case.kind if case.kind not in OF_RUNS else "config.json", case.program, case.command
        )

    late: list[int] = []

    def once(number: int, here: Path) -> Outcome:
        case = cases[number]
        file = prepare(case, whole / case.program, data, here)
        corruptions.damage(file, case.manner, random.Random(f"{options.seed} {number} damage"))
        return ask(workers[number % len(workers)], case, picture, here)

    def run(number: int) -> str:
        case, here = cases[number], work / f"case-{number}"
        found = once(number, here)
        if found.code == HANG:  # it may have been the machine that stood
            late.append(number)
            shutil.rmtree(here)
            found = once(number, here)
        kind = case.kind if case.kind not in OF_RUNS else "config.json"
        end = verdict(case, found, undamaged(kind, case.program, case.command))
        if end.startswith("FAULT"):
            print(f"{here}: {end}: {case}\n{found.said[-1500:]}", flush=True)
        else:
            shutil.rmtree(here)
        return end

    def run_share(first: int) -> list[tuple[int, str]]:
        return [(number, run(number)) for number in range(first, len(cases), len(workers))]

    with ThreadPoolExecutor(len(workers)) as pool:
        ends = {n: end for share in pool.map(run_share, range(len(workers))) for n, end in share}
    for worker in workers:
        worker.stop()
    table: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    by_manner: dict[str, Counter[str]] = {manner: Counter() for manner in corruptions.ALL}
    for number, case in enumerate(cases):
        table[case.kind][ends[number]] += 1
        by_manner[case.manner][ends[number]] += 1
    faults = [f"case {n}: {case}: {ends[n]}" for n, case in enumerate(cases) if "FAULT" in ends[n]]
    values = {"cases": len(cases), "seed": options.seed, "by_file": table, "by_manner": by_manner}
    report.write("damage", {**values, "late_once": len(late), "faults": faults})
    if not faults:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
