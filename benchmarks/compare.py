"""The Deep MNIST network in deep_mnist and in other frameworks, measured in turns.

    python benchmarks/compare.py [--rounds 8] [--venvs DIR]

Every contender in peers/ is the same network with the same initial weights, optimizer and order
of images, in the words of its framework; with dropout off, the losses of their first steps must
agree. Then they train and classify in turns, all of them started and warmed up, all but one
waiting: so whatever else the machine does falls on all alike. A step is what its user pays for:
its batch taken out of the training set, scaled, fed, and the weights updated. Start-up is from
the start of the process to the end of its first step, imports, data and compilation included.
bfloat16 is measured where the processor has it. The environments of PyTorch and JAX are made
first, in DIR (benchmarks/.venvs).
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import environments
import report
from child_process import KEEP_PROB, Process

from deep_mnist.training.mixed_precision import choose as choose_precision

STEPS = 25  # in a turn
BATCHES = {1: 100, 1_000: 2}  # batch size of inference -> how many in a turn
WARM_UP = 10  # steps
LAUNCHES = 3  # for start-up and memory
SETTLE = 0.1  # seconds before a turn, in which the threads of the last one go to sleep
TUTORIAL_STEPS = 20_000
CHECKED_STEPS = 5
TOLERANCE = {"float32": 1e-3, "bfloat16": 3e-2}  # relative, of the losses of those
TRAINING, CHECK = 0.5, 1.0  # keep_prob


class Contender(NamedTuple):
    environment: str  # "ours": where this runs; NAME: of peers/requirements-NAME.txt
    program: str  # in peers/
    words: tuple[str, ...] = ()


CONTENDERS = {
    "float32": {
        "deep_mnist": Contender("ours", "ours.py", ("float32",)),
        "bare tutorial loop": Contender("ours", "tutorial.py"),
        "Keras, fit": Contender("ours", "keras_fit.py"),
        "PyTorch": Contender("torch", "pytorch.py"),
        "PyTorch, compiled": Contender("torch", "pytorch.py", ("compile",)),
        "JAX, jit": Contender("jax", "jax_jit.py"),
    },
    "bfloat16": {
        "deep_mnist, bfloat16": Contender("ours", "ours.py", ("bfloat16",)),
        "PyTorch, bfloat16": Contender("torch", "pytorch.py", ("bfloat16",)),
        "PyTorch, compiled, bfloat16": Contender("torch", "pytorch.py", ("compile", "bfloat16")),
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=8, help="turns of each (default: 8)")
    parser.add_argument("--venvs", type=Path, default=environments.PLACE)
    asked = parser.parse_args()

    precisions = ["float32"]
    if choose_precision("auto") == "bfloat16":
        precisions.append("bfloat16")
    interpreters = {name: environments.python(name, asked.venvs) for name in ("torch", "jax")}
    interpreters["ours"] = Path(sys.executable)
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([sys.executable, environments.PEERS / "material.py", directory], check=True)
        commands = {
            precision: {
                name: command(contender, interpreters, directory)
                for name, contender in CONTENDERS[precision].items()
            }
            for precision in precisions
        }
        losses = {precision: first_losses(commands[precision]) for precision in precisions}
        for precision in precisions:
            check(losses[precision], losses["float32"]["deep_mnist"], TOLERANCE[precision])
        every = {name: line for named in commands.values() for name, line in named.items()}
        launched = launch(every)
        timed = take_turns(every, asked.rounds)

    contenders = {
        name: {
            "first_losses": losses[precision][name],
            **timed[name],
            **launched[name],
            "tutorial_schedule_seconds": round(
                TUTORIAL_STEPS * timed[name]["ms_per_step"]["median"] / 1e3
            ),
        }
        for precision in precisions
        for name in commands[precision]
    }
    report.write(
        "compare",
        {
            "rounds": asked.rounds,
            "steps_in_a_round": STEPS,
            "contenders": contenders,
            **{
                precision: beside_the_best_peer(contenders, list(commands[precision]))
                for precision in precisions
            },
        },
    )


def command(contender: Contender, interpreters: dict[str, Path], directory: str) -> list[str]:
    """The command line of a contender, with a place for keep_prob."""
    interpreter = interpreters[contender.environment]
    program = environments.PEERS / contender.program
    return [str(interpreter), str(program), directory, KEEP_PROB, *contender.words]


def first_losses(commands: dict[str, list[str]]) -> dict[str, list[float]]:
    """The losses in the first steps of each, summed over the batch, with dropout off."""
    losses = {}
    for name, line in commands.items():
        with Process(line, CHECK) as process:
            sums = process.ask(f"losses {CHECKED_STEPS}")
        losses[name] = [round(value, 3) for value in sums]
        print(f"{name}: {losses[name]}", flush=True)
    return losses


def check(losses: dict[str, list[float]], expected: list[float], tolerance: float) -> None:
    """Ends the program unless all contenders train the same network in the same way."""
    for name, values in losses.items():
        for value, ours in zip(values, expected, strict=True):
            if abs(value / ours - 1) > tolerance:
                raise SystemExit(f"{name}: expected the losses {expected}, found {values}")


def launch(commands: dict[str, list[str]]) -> dict[str, Any]:
    """Start-up and peak memory, of processes that take one step, and then a turn's."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    megabytes: dict[str, list[float]] = {name: [] for name in commands}
    versions = {}
    for _ in range(LAUNCHES):
        for name, line in commands.items():
            start = time.perf_counter()
            with Process(line, TRAINING) as process:
                process.ask("train 1")
                seconds[name].append(time.perf_counter() - start)
                process.ask(f"train {STEPS}")
                versions[name] = process.ask("versions")
            megabytes[name].append(process.peak_mb)
            print(f"{name}: first step after {seconds[name][-1]:.1f} s", flush=True)
    return {
        name: {
            "start_seconds": {
                "median": round(statistics.median(seconds[name]), 2),
                "lowest": round(min(seconds[name]), 2),
                "highest": round(max(seconds[name]), 2),
            },
            "peak_mb": round(statistics.median(megabytes[name])),
            "versions": versions[name],
        }
        for name in commands
    }


def take_turns(commands: dict[str, list[str]], rounds: int) -> dict[str, Any]:
    """ms per step and digits per second of each, a value per round."""
    steps: dict[str, list[float]] = {name: [] for name in commands}
    digits: dict[str, dict[int, list[float]]] = {
        name: {size: [] for size in BATCHES} for name in commands
    }
    with contextlib.ExitStack() as stack:
        processes = {}
        for name, line in commands.items():
            process = processes[name] = stack.enter_context(Process(line, TRAINING))
            process.ask(f"train {WARM_UP}")
            for size, batches in BATCHES.items():
                process.ask(f"classify {size} {batches}")
        for done in range(rounds):
            for name, process in processes.items():
                time.sleep(SETTLE)
                steps[name].append(1e3 * process.ask(f"train {STEPS}") / STEPS)
                for size, batches in BATCHES.items():
                    seconds = process.ask(f"classify {size} {batches}")
                    digits[name][size].append(size * batches / seconds)
            last = ", ".join(f"{name} {values[-1]:.1f}" for name, values in steps.items())
            print(f"round {done + 1} of {rounds}, ms per step: {last}", flush=True)
    return {
        name: {
            "ms_per_step": report.spread(steps[name]),
            "digits_per_second": {size: report.spread(digits[name][size]) for size in BATCHES},
        }
        for name in commands
    }


def beside_the_best_peer(contenders: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Our step, the first of `names`, in multiples of the quickest other one's."""
    medians = {name: contenders[name]["ms_per_step"]["median"] for name in names}
    ours = medians.pop(names[0])
    best = min(medians, key=medians.__getitem__)
    return {
        "ours": names[0],
        "best_peer": best,
        "ours_over_best_peer": round(ours / medians[best], 3),
    }


if __name__ == "__main__":
    main()
