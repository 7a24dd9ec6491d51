"""Update the tables of measurements in README.md and docs/ from the result files.

python benchmarks/readme_tables.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deep_mnist.training import RECIPES

ROOT = Path(__file__).parents[1]
Rows = list[tuple[str, str, str, str]]
RESULTS = (ROOT / "benchmarks" / "results", ROOT / "tests" / "robustness" / "results")


def main() -> None:
    for name, tables in pages().items():
        text = (ROOT / name).read_text("utf-8")
        for table in tables:
            text = replace_table(text, table)
        (ROOT / name).write_text(text, "utf-8")


def pages() -> dict[str, tuple[str, ...]]:
    """Return the tables of each page."""
    return {
        "README.md": (programs(), headlines()),
        "docs/recipes.md": (recipes(),),
        "docs/benchmarks.md": (
            measurements(),
            frameworks(),
            time_to_accuracy(),
        ),
        "docs/exporting.md": (exports(),),
        "docs/reliability.md": (interruptions(), damage()),
        "docs/distributed.md": (network_faults(), clusters()),
    }


def replace_table(text: str, table: str) -> str:
    """Return the text with `table` in place of the table that has the same header."""
    header = table.split("\n", 1)[0]
    rows = re.escape(header) + r"\n(\|.*\n)*"
    text, count = re.subn(rows, lambda _: f"{table}\n", text)
    if count != 1:
        raise SystemExit(f"expected one table with the header {header}, found {count}")
    return text


# docs/benchmarks.md -------------------------------------------------------------


def measurements() -> str:
    """Return the table of the single measurements."""
    rows = [
        *accuracy_rows(),
        *fnn_rows(),
        *synthetic_rows(),
        *step_rows(),
        *data_rows(),
        *process_rows(),
    ]
    return markdown(("benchmark", "result", "goal", "CPU"), rows)


def accuracy_rows() -> Rows:
    softmax, cnn, mlp = (read(f"accuracy-{name}") for name in ("softmax", "cnn", "mlp"))
    published = read("published-mlp")
    return [
        (
            "softmax regression, 1,000 steps, seeds 0 to 9: test accuracy",
            mean_and_lowest(softmax["test_accuracy"]),
            "mean 91.0%, lowest 90.0%",
            cpu(softmax),
        ),
        (
            "CNN, 20,000 steps, seeds 0 to 2: test accuracy",
            mean_and_lowest(cnn["test_accuracy"]),
            "mean 99.2%, lowest 99.1%",
            cpu(cnn),
        ),
        (
            "MLP, 10 epochs, mean of seeds 0 to 9: the 50 losses that the article prints",
            "within "
            f"{percent(published['largest_relative_difference_after_the_first_row'])}, "
            "except for the first",
            "15%",
            cpu(published),
        ),
        (
            "MLP, seeds 0 to 9: test accuracy",
            mean_and_lowest(mlp["test_accuracy"]),
            "none published",
            cpu(mlp),
        ),
    ]


def fnn_rows() -> Rows:
    fnn, published = read("fnn"), read("published-fnn")
    accuracy = published["test_accuracy"]
    return [
        (
            "FNN, 50 epochs, seeds 0 to 9: test accuracy",
            f"mean {percent(accuracy['mean'])}, {percent(accuracy['lowest'])} to "
            f"{percent(accuracy['highest'])}",
            f"{percent(accuracy['published'])} in the exercise's only run",
            cpu(published),
        ),
        *(
            (
                f"FNN, one epoch in {dtype}, compared with the exercise's algorithm in plain NumPy",
                f"{fnn[dtype]['seconds_per_epoch']['median']:.2f} s, "
                f"{fnn[dtype]['times_faster']:.1f}x faster",
                goal(f"{times}x faster", fnn[dtype]["times_faster"] >= times),
                cpu(fnn),
            )
            for dtype, times in (("float64", 3), ("float32", 6))
        ),
        (
            "FNN, peak memory above `import numpy`, compared with the same",
            f"{fnn['float64']['megabytes']} MB instead of {fnn['transcription_megabytes']:,} MB",
            "half",
            cpu(fnn),
        ),
    ]


def synthetic_rows() -> Rows:
    cnn, drawing = read("accuracy-cnn-generated"), read("synthetic")
    return [
        (
            f"CNN trained on synthetic digits only, {cnn['steps']:,} steps: accuracy on MNIST",
            percent(cnn["mnist_test_accuracy"]["mean"]),
            "80%",
            cpu(cnn),
        ),
        (
            "the same: accuracy on other synthetic digits",
            percent(cnn["test_accuracy"]["mean"]),
            "99%",
            cpu(cnn),
        ),
        (
            f"drawing {drawing['digits']:,} synthetic digits",
            f"{drawing['seconds']['median']:.1f} s",
            "5 s",
            cpu(drawing),
        ),
    ]


def step_rows() -> Rows:
    loop, step, compare = read("loop"), read("step"), read("compare")
    evaluation = step["evaluation_images_per_second"]["250"]
    return [
        (
            "CNN training step, compared with a bare loop over the same graph",
            f"{loop['ours_ms_per_step']['mean']:.1f} ms, {loop['ratio_of_means']:.3f}x the time",
            goal("1.05x", loop["ratio_of_means"] <= 1.05),
            cpu(loop),
        ),
        *(
            compared_with_fastest(compare, precision, ratio)
            for precision, ratio in (("float32", 0.85), ("bfloat16", 0.95))
        ),
        (
            "CNN training step with `fast_gradients()`, compared with TensorFlow's gradients",
            f"{step['ms_per_step']['fast_gradients']['median']:.1f} ms, "
            f"{step['fast_gradients_over_tensorflow']:.2f}x the time",
            "",
            cpu(step),
        ),
        (
            "CNN training step on augmented images, compared with images that are not",
            f"{step['augmented_over_plain']:.3f}x the time",
            goal("1.05x", step["augmented_over_plain"] <= 1.05),
            cpu(step),
        ),
        (
            "evaluation of the CNN on 10,000 images",
            f"{evaluation:,} images/s",
            goal("4,000 images/s", evaluation >= 4_000),
            cpu(step),
        ),
        *(fast_row(precision, steps) for precision, steps in FAST_STEPS.items()),
    ]


FAST_STEPS = {"float32": 1_100, "bfloat16": 700}  # goals, in steps of the bare tutorial loop


def fast_row(precision: str, most: int) -> tuple[str, str, str, str]:
    """Return the row of `cnn --recipe fast` in a precision."""
    fast, timed = read(f"accuracy-cnn-fast-{precision}"), read("time_to_accuracy")
    name = "deep_mnist" if precision == "float32" else f"deep_mnist, {precision}"
    seconds = timed["same_recipe"][name]["seconds"]
    steps = round(1e3 * seconds / timed["tutorial_schedule"]["ms_per_step"])
    return (
        f"`cnn --recipe fast` in {precision}, seeds 0 to {len(fast['runs']) - 1}: test accuracy; "
        "training time",
        f"{mean_and_lowest(fast['test_accuracy'])}; {seconds:.1f} s, as {steps:,} steps of the "
        "tutorial's loop",
        goal(f"mean 99.20%, lowest 99.10%; {most:,} steps", steps <= most),
        cpu(timed),
    )


def compared_with_fastest(
    compare: dict[str, Any], precision: str, ratio: float
) -> tuple[str, str, str, str]:
    """Return the row of the CNN's training step in a precision."""
    name = (
        f"CNN training step in {precision}, compared with the fastest of PyTorch, JAX, Keras "
        "and the tutorial's loop"
    )
    if precision not in compare:
        return name, f"not measured: the CPU has no {precision}", f"{ratio:.2f}x", cpu(compare)
    measured = compare[precision]
    ms = compare["implementations"][measured["ours"]]["ms_per_step"]["median"]
    return (
        name,
        f"{ms:.1f} ms, {measured['ours_over_fastest_other']:.2f}x the time of "
        f"{measured['fastest_other']}",
        goal(f"{ratio:.2f}x", measured["ours_over_fastest_other"] <= ratio),
        cpu(compare),
    )


def data_rows() -> Rows:
    step = read("step")
    seconds = step["seconds_to_load_mnist"]["median"]
    return [
        (
            "loading and verifying MNIST's four .gz files",
            f"{seconds:.2f} s",
            goal("0.6 s", seconds <= 0.6),
            cpu(step),
        )
    ]


def process_rows() -> Rows:
    process = read("process")
    seconds = {name: values["median"] for name, values in process["seconds"].items()}
    slowest_help = max(seconds[n] for n in ("softmax --help", "cnn --help", "list of commands"))
    ratio, over_import = process["softmax_over_import"], process["predict_seconds_over_import"]
    return [
        (
            "`python -m deep_mnist.softmax`, the whole process",
            f"{seconds['softmax']:.1f} s, {ratio:.2f}x the time of `import tensorflow`",
            goal("1.3x", ratio <= 1.3),
            cpu(process),
        ),
        (
            "`python -m deep_mnist.predict digit.png`, the whole process",
            f"{seconds['predict']:.1f} s, `import tensorflow` and {over_import:.1f} s",
            goal("`import tensorflow` and 0.7 s", over_import <= 0.7),
            cpu(process),
        ),
        (
            "slowest of `softmax --help`, `cnn --help` and `deep-mnist`",
            f"{slowest_help:.2f} s",
            goal("0.5 s", slowest_help <= 0.5),
            cpu(process),
        ),
        *(
            (
                f"peak memory of {program} above `import tensorflow`",
                f"{process[key]} MB",
                goal(f"{limit} MB", process[key] <= limit),
                cpu(process),
            )
            for program, key, limit in (
                ("softmax", "softmax_mb_over_import", 250),
                ("cnn", "cnn_mb_over_import", 900),
            )
        ),
    ]


def frameworks() -> str:
    """Return the table of the CNN in other frameworks."""
    rows = [
        (
            name,
            with_quartiles(values["ms_per_step"]),
            f"{values['images_per_second']['1']['median']:,.0f}",
            f"{values['images_per_second']['1000']['median']:,.0f}",
            f"{values['start_seconds']['median']:.1f} s",
            f"{values['peak_mb']:,} MB",
        )
        for name, values in read("compare")["implementations"].items()
    ]
    header = (
        "implementation",
        "ms per training step (quartiles)",
        "images/s, batch of 1",
        "images/s, batch of 1,000",
        "start to end of first step",
        "peak memory",
    )
    return markdown(header, rows)


def time_to_accuracy() -> str:
    """Return the table of the recipe `fast` in other frameworks, and the tutorial's schedule."""
    result = read("time_to_accuracy")
    tutorial = result["tutorial_schedule"]
    rows = [
        (name, f"{values['seconds']:.1f} s", *accuracy_columns(values["accuracy"]))
        for name, values in result["same_recipe"].items()
    ]
    rows.append(
        (
            f"bare tutorial loop, the tutorial's {tutorial['steps']:,} steps",
            f"{tutorial['seconds']} s",
            *accuracy_columns(read("accuracy-cnn")["test_accuracy"]),
        )
    )
    header = ("training with `--recipe fast`", "time", "mean test accuracy", "lowest")
    return markdown(header, rows)


def accuracy_columns(accuracy: dict[str, float]) -> tuple[str, str]:
    """Return the mean and the lowest accuracy."""
    return percent(accuracy["mean"]), percent(accuracy["lowest"])


# README.md ----------------------------------------------------------------------

LESSONS = {
    "softmax": "graph and session, softmax regression, gradient descent",
    "cnn": "convolution, pooling, dropout, Adam",
    "mlp": "layers from raw tensors, gradients applied by hand",
    "fnn": "backpropagation in NumPy alone",
}


def programs() -> str:
    """Return the table of the programs: what they teach, mean accuracy and training time."""
    pretrained = json.loads((ROOT / "saved" / "mlp" / "result.json").read_text("utf-8"))
    seconds = {
        "softmax": read("process")["seconds"]["softmax"]["median"],
        "cnn": 20_000 * read("loop")["ours_ms_per_step"]["mean"] / 1e3,
        "mlp": pretrained["seconds"],
        "fnn": 50 * read("fnn")["float64"]["seconds_per_epoch"]["median"],
    }
    rows = []
    for name, lesson in LESSONS.items():
        mean = 100 * read(f"accuracy-{name}")["test_accuracy"]["mean"]
        rows.append(
            (
                f"[{name}.py](deep_mnist/{name}.py)",
                lesson,
                f"{mean:.0f}%" if mean < 99 else f"{mean:.1f}%",
                duration(seconds[name]),
                f"`python -m deep_mnist.{name}`",
            )
        )
    header = ("file", "what it teaches", "test accuracy", "time on two CPUs", "command")
    return markdown(header, rows)


def headlines() -> str:
    """Return the table of three results."""
    best, fast = read("accuracy-cnn-best-bfloat16"), read("accuracy-cnn-fast-float32")
    runs = sum(read("faults")["runs_equal_to_uninterrupted"].values())
    rows = [
        ("`cnn --recipe best`, bfloat16: test accuracy", accuracy_of_seeds(best)),
        (
            "`cnn --recipe fast`: test accuracy, training time on two CPUs",
            f"{accuracy_of_seeds(fast)}, {duration(fast['seconds']['mean'])}",
        ),
        (
            "killed runs that were resumed and ended with the same bits as uninterrupted ones",
            f"all {runs}",
        ),
    ]
    return markdown(("what was measured", "result"), rows)


# The other pages ----------------------------------------------------------------


def recipes() -> str:
    """Return the table of the recipes: settings, accuracy and training time."""
    rows = []
    for program, name, precision in (
        ("softmax", "best", None),
        ("cnn", "fast", "float32"),
        ("cnn", "fast", "bfloat16"),
        ("cnn", "best", "bfloat16"),
    ):
        result = read("-".join(part for part in ("accuracy", program, name, precision) if part))
        settings = RECIPES[program][name].items()
        flags = " ".join(f"--{field.replace('_', '-')} {value}" for field, value in settings)
        rows.append(
            (
                f"`{program} --recipe {name}`" + (f", {precision}" if precision else ""),
                f"`{flags}`",
                accuracy_of_seeds(result),
                duration(result["seconds"]["mean"]),
            )
        )
    return markdown(("recipe", "settings", "test accuracy", "training time"), rows)


def exports() -> str:
    """Return the table of the exports: size, throughput, and agreement with the session."""
    rows = []
    for model, formats in read("exports")["models"].items():
        for name, values in formats.items():
            is_export = "bytes" in values
            rows.append(
                (
                    f"{model}, {name}" if is_export else f"{model}, not exported",
                    size(values["bytes"]) if is_export else "",
                    f"{values['images_per_second']['1']['median']:,.0f}",
                    f"{values['images_per_second']['1000']['median']:,.0f}",
                    f"{values['largest_difference']:.0e}" if is_export else "",
                    percent(values["agreement"]) if is_export else "",
                )
            )
    header = (
        "model and format",
        "size",
        "images/s, batch of 1",
        "images/s, batch of 1,000",
        "largest difference of a probability",
        "same prediction",
    )
    return markdown(header, rows)


def interruptions() -> str:
    """Return the table of the signals that runs were interrupted by."""
    counts = read("faults")["interruptions"]
    moments = ("while saving", "at a random moment", "after the end")
    rows = [
        (signal, *(str(counts.get(f"{signal} {moment}", 0)) for moment in moments))
        for signal in ("SIGKILL", "SIGTERM", "SIGINT")
    ]
    return markdown(("signal", *moments), rows)


OUTCOMES = {  # of tests/robustness/damage.py, by column
    "same result": ("same result",),
    "same result, with a warning": (
        "same result from an older checkpoint, with a warning",
        "same weights, reports lost, with a warning",
    ),
    "different result, reported": (
        "older checkpoint restored and named",
        "different result, reported",
    ),
    "error message": ("error message",),
}


def damage() -> str:
    """Return the table of the damaged files: number of cases by outcome."""
    rows = []
    for kind, counts in read("damage")["by_file"].items():
        columns = [sum(counts.get(name, 0) for name in names) for names in OUTCOMES.values()]
        failures = sum(counts.values()) - sum(columns)
        rows.append((kind, *(str(count) for count in (*columns, failures))))
    return markdown(("damaged file", *OUTCOMES, "failure"), rows)


def network_faults() -> str:
    """Return the table of faults of the network: how the tasks of a cluster end."""
    results = read("network")["results"]
    modes = tuple(results["none"])
    rows = []
    for fault, by_mode in results.items():
        rows.append(
            (fault, *(task_ends(by_mode[mode]) if mode in by_mode else "" for mode in modes))
        )
    return markdown(("fault", *modes), rows)


def task_ends(result: dict[str, Any]) -> str:
    """Return how and when the tasks of a cluster ended."""
    seconds, errors = max(result["seconds"].values()), ", ".join(result["errors"])
    if not errors:
        return f"completed, {seconds:.0f} s"
    if len(result["errors"]) < len(result["seconds"]):
        return f"completed, except for {errors}, {seconds:.0f} s"
    return f"errors of {errors}, {seconds:.0f} s"


def clusters() -> str:
    """Return the table of distributed training: updates and images per second."""
    results = read("cluster")["results"]
    rows = []
    for mode in results["softmax"]:
        row = [mode]
        for modes in results.values():
            rates = modes[mode]
            row += [with_quartiles(rates["updates_per_second"]), f"{rates['images_per_second']:,}"]
        rows.append(tuple(row))
    header = [f"{program}: {what}/s" for program in results for what in ("updates", "images")]
    return markdown(("mode", *header), rows)


# Formatting ---------------------------------------------------------------------


def read(name: str) -> dict[str, Any]:
    """Return the contents of a result file."""
    paths = [directory / f"{name}.json" for directory in RESULTS]
    (path,) = (path for path in paths if path.exists())
    values: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return values


def markdown(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in (header, *rows)]
    return "\n".join([lines[0], "|---" * len(header) + "|", *lines[1:]])


def cpu(result: dict[str, Any]) -> str:
    """Return the vector instructions of the machine that a result was measured on."""
    return str(result["machine"]).rpartition(", ")[2]


def goal(text: str, reached: bool) -> str:
    """Return the text of a goal."""
    return text if reached else f"{text} (not reached)"


def mean_and_lowest(accuracy: dict[str, float]) -> str:
    """Format as in "mean 99.25%, lowest 99.22%"."""
    return f"mean {percent(accuracy['mean'])}, lowest {percent(accuracy['lowest'])}"


def accuracy_of_seeds(result: dict[str, Any]) -> str:
    """Format as in "mean 99.25%, lowest 99.22% (3 seeds)"."""
    return f"{mean_and_lowest(result['test_accuracy'])} ({len(result['runs'])} seeds)"


def percent(fraction: float) -> str:
    """0.9922 -> "99.22%"."""
    return f"{100 * fraction:.2f}%"


def size(count: int) -> str:
    """31937 -> "32 kB", 13100510 -> "13.1 MB"."""
    return f"{count / 1e3:,.0f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def duration(seconds: float) -> str:
    """71 -> "71 s", 960 -> "16 min"."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def with_quartiles(values: dict[str, float]) -> str:
    """Format as in "20.1 (19.8 to 20.6)"."""
    median, low, high = (values[key] for key in ("median", "lower_quartile", "upper_quartile"))
    return f"{median:.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main()
