"""The Deep MNIST network in deep_mnist, a bare tutorial loop, Keras, PyTorch and JAX.

    python benchmarks/compare.py [--rounds 8] [--venvs DIR]

Each program in frameworks/ is the same network with the same initial weights, optimizer and order
of images, written as users of its framework write it. The losses of their first steps, without
dropout, must agree. All programs are started and warmed up; then they train and classify in
alternating rounds while the others wait, so that other load on the machine affects all alike.

A step includes taking its batch from the training set, scaling it and feeding it. Start-up is the
time from starting the process to the end of its first step, with imports, data and compilation.
bfloat16 is measured where the CPU supports it. PyTorch and JAX are installed first, into
environments in DIR (default: benchmarks/.venvs). Writes results/compare.json.
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
from child_process import Process

from deep_mnist.training.config import available_cpus
from deep_mnist.training.mixed_precision import choose as choose_precision

STEPS_PER_ROUND = 25
BATCHES_PER_ROUND = {1: 100, 1_000: 2}  # by batch size, for inference
WARM_UP_STEPS = 10
LAUNCHES = 3  # for start-up and memory
PAUSE = 0.1  # seconds before each measurement, in which the threads of the last one go to sleep
TUTORIAL_STEPS = 20_000
CHECKED_STEPS = 5
TOLERANCE = {"float32": 1e-3, "bfloat16": 3e-2}  # relative, of the losses of the checked steps
KEEP_PROB = 0.5
CPUS = str(available_cpus())


class Implementation(NamedTuple):
    """A program in frameworks/ and how it is started."""

    environment: str  # "ours" is the current one, others are those of requirements-NAME.txt
    program: str
    flags: tuple[str, ...] = ()


IMPLEMENTATIONS = {
    "float32": {
        "deep_mnist": Implementation("ours", "ours.py", ("float32", CPUS)),
        "deep_mnist, intra_op_threads=1": Implementation("ours", "ours.py", ("float32", "1")),
        "bare tutorial loop": Implementation("ours", "tutorial.py"),
        "Keras, fit": Implementation("ours", "keras_fit.py"),
        "PyTorch": Implementation("torch", "pytorch.py"),
        "PyTorch, compiled": Implementation("torch", "pytorch.py", ("compile",)),
        "JAX, jit": Implementation("jax", "jax_jit.py"),
    },
    "bfloat16": {
        "deep_mnist, bfloat16": Implementation("ours", "ours.py", ("bfloat16", CPUS)),
        "PyTorch, bfloat16": Implementation("torch", "pytorch.py", ("bfloat16",)),
        "PyTorch, compiled, bfloat16": Implementation(
            "torch", "pytorch.py", ("compile", "bfloat16")
        ),
    },
}


class Launcher:
    """Starts implementations with the interpreters of their environments."""

    def __init__(self, venvs: Path, directory: str) -> None:
        self.interpreters = {name: environments.python(name, venvs) for name in ("torch", "jax")}
        self.interpreters["ours"] = Path(sys.executable)
        self.directory = directory
        inputs = environments.FRAMEWORKS / "shared_inputs.py"
        subprocess.run([sys.executable, inputs, directory], check=True)

    def start(self, implementation: Implementation, keep_prob: float = KEEP_PROB) -> Process:
        """Start an implementation."""
        program = environments.FRAMEWORKS / implementation.program
        command = [str(self.interpreters[implementation.environment]), str(program)]
        return Process(command, self.directory, keep_prob, implementation.flags)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=8, help="alternating rounds (default: 8)")
    parser.add_argument(
        "--venvs",
        type=Path,
        default=environments.DIRECTORY,
        help="directory of the virtual environments (default: benchmarks/.venvs)",
    )
    options = parser.parse_args()

    precisions = ["float32"]
    if choose_precision("auto") == "bfloat16":
        precisions.append("bfloat16")
    with tempfile.TemporaryDirectory() as directory:
        launcher = Launcher(options.venvs, directory)
        losses: dict[str, list[float]] = {}
        for precision in precisions:
            found = first_losses(launcher, IMPLEMENTATIONS[precision])
            losses |= found
            check_losses(found, losses["deep_mnist"], TOLERANCE[precision])
        implementations = {
            name: implementation
            for precision in precisions
            for name, implementation in IMPLEMENTATIONS[precision].items()
        }
        launched = measure_launches(launcher, implementations)
        timed = alternate(launcher, implementations, options.rounds)

    values = {
        name: {
            "first_losses": losses[name],
            **timed[name],
            **launched[name],
            "tutorial_schedule_seconds": round(
                TUTORIAL_STEPS * timed[name]["ms_per_step"]["median"] / 1e3
            ),
        }
        for name in implementations
    }
    report.write(
        "compare",
        {
            "rounds": options.rounds,
            "steps_per_round": STEPS_PER_ROUND,
            "implementations": values,
            **{
                precision: compared_with_fastest(values, list(IMPLEMENTATIONS[precision]))
                for precision in precisions
            },
        },
    )


def first_losses(
    launcher: Launcher, implementations: dict[str, Implementation]
) -> dict[str, list[float]]:
    """Return the losses of the first steps, summed over the batch, without dropout."""
    losses = {}
    for name, implementation in implementations.items():
        with launcher.start(implementation, keep_prob=1.0) as process:
            values = process.request(f"losses {CHECKED_STEPS}")
        losses[name] = [round(value, 3) for value in values]
        print(f"{name}: {losses[name]}", flush=True)
    return losses


def check_losses(losses: dict[str, list[float]], expected: list[float], tolerance: float) -> None:
    """End the program unless all implementations train the same network in the same way."""
    for name, values in losses.items():
        for value, ours in zip(values, expected, strict=True):
            if abs(value / ours - 1) > tolerance:
                raise SystemExit(f"{name}: expected the losses {expected}, found {values}")


def measure_launches(
    launcher: Launcher, implementations: dict[str, Implementation]
) -> dict[str, Any]:
    """Return start-up time, peak memory and versions of each implementation."""
    seconds: dict[str, list[float]] = {name: [] for name in implementations}
    megabytes: dict[str, list[float]] = {name: [] for name in implementations}
    versions = {}
    for _ in range(LAUNCHES):
        for name, implementation in implementations.items():
            start = time.perf_counter()
            with launcher.start(implementation) as process:
                process.request("train 1")
                seconds[name].append(time.perf_counter() - start)
                process.request(f"train {STEPS_PER_ROUND}")
                versions[name] = process.request("versions")
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
        for name in implementations
    }


def alternate(
    launcher: Launcher, implementations: dict[str, Implementation], rounds: int
) -> dict[str, Any]:
    """Return ms per training step and classified images per second of each implementation."""
    steps: dict[str, list[float]] = {name: [] for name in implementations}
    images: dict[str, dict[int, list[float]]] = {
        name: {size: [] for size in BATCHES_PER_ROUND} for name in implementations
    }
    with contextlib.ExitStack() as stack:
        processes = {}
        for name, implementation in implementations.items():
            process = processes[name] = stack.enter_context(launcher.start(implementation))
            process.request(f"train {WARM_UP_STEPS}")
            for size, batches in BATCHES_PER_ROUND.items():
                process.request(f"classify {size} {batches}")
        for number in range(rounds):
            for name, process in processes.items():
                time.sleep(PAUSE)
                seconds = process.request(f"train {STEPS_PER_ROUND}")
                steps[name].append(1e3 * seconds / STEPS_PER_ROUND)
                for size, batches in BATCHES_PER_ROUND.items():
                    seconds = process.request(f"classify {size} {batches}")
                    images[name][size].append(size * batches / seconds)
            last = ", ".join(f"{name} {values[-1]:.1f}" for name, values in steps.items())
            print(f"round {number + 1} of {rounds}, ms per step: {last}", flush=True)
    return {
        name: {
            "ms_per_step": report.spread(steps[name]),
            "images_per_second": {
                size: report.spread(images[name][size]) for size in BATCHES_PER_ROUND
            },
        }
        for name in implementations
    }


def compared_with_fastest(values: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return the time of our step, the first of `names`, relative to the fastest other one."""
    ours = values[names[0]]["ms_per_step"]["median"]
    medians = {
        name: values[name]["ms_per_step"]["median"]
        for name in names
        if not name.startswith(names[0])
    }
    fastest = min(medians, key=medians.__getitem__)
    return {
        "ours": names[0],
        "fastest_other": fastest,
        "ours_over_fastest_other": round(ours / medians[fastest], 3),
    }


if __name__ == "__main__":
    main()
