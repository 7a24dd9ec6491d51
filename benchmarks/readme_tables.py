"""Puts the tables of measured results, made of the files in results/, into README.md and docs/.

python benchmarks/table.py
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deep_mnist.training import RECIPES

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]


def main() -> None:
    pages = {
        "README.md": (recipes(),),
        "docs/benchmarks.md": (table(), comparison()),
        "docs/exporting.md": (exports(),),
        "docs/reliability.md": (stops(), damage()),
        "docs/distributed.md": (clusters(),),
    }
    for name, tables in pages.items():
        text = (ROOT / name).read_text("utf-8")
        for made in tables:
            text = replaced(text, made)
        (ROOT / name).write_text(text, "utf-8")


def replaced(text: str, made: str) -> str:
    """The text with the table of the same titles replaced."""
    titles = made.split("\n", 1)[0] + "\n"
    before, found, after = text.partition(titles)
    if not found:
        raise SystemExit(f"there is no table with the titles {titles}")
    _, _, rest = after.partition("\n\n")
    return f"{before}{made}\n\n{rest}"


def table() -> str:
    """Markdown, a row per figure: what, measured, goal, script."""
    softmax, cnn = read("accuracy-softmax"), read("accuracy-cnn")
    strokes, drawing = read("accuracy-cnn-generated"), read("generated")
    loop, step, process, compare = read("loop"), read("step"), read("process"), read("compare")
    mlp, mlp_published = read("accuracy-mlp"), read("published-mlp")
    fnn, fnn_published = read("fnn"), read("published-fnn")["test_accuracy"]
    seconds = process["seconds"]
    slowest_help = max(
        seconds[name]["median"] for name in ("softmax --help", "cnn --help", "list of commands")
    )
    evaluation = step["evaluation_digits_per_second"]["250"]
    rows = [
        (
            "softmax regression, 1,000 steps: test accuracy, seeds 0..9",
            f"mean {percent(softmax['test_accuracy']['mean'])}, "
            f"lowest {percent(softmax['test_accuracy']['lowest'])}",
            "91.0 %, none under 90.0 %",
        ),
        (
            "CNN, 20,000 steps: test accuracy, seeds 0..2",
            f"mean {percent(cnn['test_accuracy']['mean'])}, "
            f"lowest {percent(cnn['test_accuracy']['lowest'])}",
            "99.2 %, none under 99.1 %",
        ),
        (
            "MLP, 10 epochs: loss in the 50 rows that its document prints, mean of seeds 0..9",
            f"within {percent(mlp_published['largest_relative_difference_after_the_first_row'])} "
            "of each but the first",
            "15 %",
        ),
        (
            "MLP: test accuracy, seeds 0..9; the documents give none",
            f"mean {percent(mlp['test_accuracy']['mean'])}, "
            f"lowest {percent(mlp['test_accuracy']['lowest'])}",
            "",
        ),
        (
            "fnn, 50 epochs: test accuracy, seeds 0..9",
            f"mean {percent(fnn_published['mean'])}, "
            f"from {percent(fnn_published['lowest'])} to {percent(fnn_published['highest'])}",
            f"{percent(fnn_published['published'])}, the document's one run",
        ),
        *(
            (
                f"fnn, an epoch in {dtype}, beside a plain transcription of the document",
                f"{fnn[dtype]['seconds_per_epoch']['median']:.2f} s: "
                f"{fnn[dtype]['times_faster']:.1f} x faster",
                f"{goal} x" + (", not reached" if fnn[dtype]["times_faster"] < goal else ""),
            )
            for dtype, goal in (("float64", 3), ("float32", 6))
        ),
        (
            "fnn, peak memory over `import numpy`, beside the same",
            f"{fnn['float64']['megabytes']} MB of {fnn['transcription_megabytes']:,} MB",
            "half",
        ),
        (
            f"CNN that has seen generated digits alone, {strokes['steps']:,} steps: on MNIST",
            percent(strokes["mnist_test_accuracy"]["mean"]),
            "80 %",
        ),
        (
            "the same, on generated digits that it has not seen",
            percent(strokes["test_accuracy"]["mean"]),
            "99 %",
        ),
        (
            f"drawing {drawing['digits']:,} digits",
            f"{drawing['seconds']['median']:.1f} s",
            "under 5 s",
        ),
        (
            "CNN step, beside a bare loop over the same graph",
            f"{loop['ours_ms_per_step']['mean']:.1f} ms: {loop['ratio_of_means']:.3f} x bare",
            "1.05 x",
        ),
        *(
            step_beside_the_best_peer(compare, precision, goal)
            for precision, goal in (("float32", 0.85), ("bfloat16", 0.70))
        ),
        (
            "CNN step, beside the same with TensorFlow's own backward kernels",
            f"{step['ms_per_step']['faster_backward']['median']:.1f} ms: "
            f"{step['faster_backward_over_tensorflows']:.2f} x",
            "",
        ),
        (
            "CNN step on images that a thread augments, beside the plain one",
            f"{step['augmented_over_plain']:.3f} x",
            "1.05 x",
        ),
        (
            "evaluation of 10,000 digits by the CNN",
            f"{evaluation:,} digits/s",
            "4,000 digits/s" + ("" if evaluation >= 4_000 else ", not reached"),
        ),
        (
            "reading MNIST's four .gz files and verifying them",
            f"{step['seconds_to_read_and_verify_mnist']['median']:.2f} s",
            "0.6 s",
        ),
        to_the_tutorials_accuracy(compare, read("accuracy-cnn-fast")),
        (
            "`python -m deep_mnist.softmax`, the whole process",
            f"{seconds['softmax']['median']:.1f} s: {process['softmax_over_import']:.2f} x "
            "`import tensorflow`",
            "2.0 x",
        ),
        ("`--help` of softmax and cnn, the slower", f"{slowest_help:.2f} s", "0.5 s"),
        (
            "peak memory of softmax, over `import tensorflow`",
            f"{process['softmax_mb_over_import']} MB",
            "250 MB",
        ),
        (
            "peak memory of the CNN, over `import tensorflow`",
            f"{process['cnn_mb_over_import']} MB",
            "900 MB",
        ),
    ]
    return markdown(("what", "measured", "goal"), rows)


def step_beside_the_best_peer(
    compare: dict[str, Any], precision: str, goal: float
) -> tuple[str, str, str]:
    """The row of the CNN's training step in a precision."""
    what = f"CNN step in {precision}, beside the quickest of its peers"
    if precision not in compare:
        return what, f"no {precision} on this processor", f"{goal:.2f} x"
    measured = compare[precision]
    ms = compare["contenders"][measured["ours"]]["ms_per_step"]["median"]
    ratio = measured["ours_over_best_peer"]
    return (
        what,
        f"{ms:.1f} ms: {ratio:.2f} x {measured['best_peer']}",
        f"{goal:.2f} x" + (", not reached" if ratio > goal else ""),
    )


def to_the_tutorials_accuracy(
    compare: dict[str, Any], fast: dict[str, Any]
) -> tuple[str, str, str]:
    """The row of the recipe that trains to what the tutorial's schedule trains to."""
    schedule = compare["contenders"]["bare tutorial loop"]["tutorial_schedule_seconds"]
    seconds = fast["seconds"]["mean"]
    return (
        "training to 99.2 %: `--recipe fast`, beside a bare loop's 20,000 steps at another hour",
        f"{duration(seconds)} of {duration(schedule)}: 1/{schedule / seconds:.0f}",
        "1/25" + (", not reached" if schedule / seconds < 25 else ""),
    )


def comparison() -> str:
    """Markdown, a row per framework: a training step, inference, start-up, memory."""
    rows = [
        (
            name,
            with_spread(values["ms_per_step"]),
            f"{values['digits_per_second']['1']['median']:,.0f}",
            f"{values['digits_per_second']['1000']['median']:,.0f}",
            f"{values['start_seconds']['median']:.1f} s",
            f"{values['peak_mb']:,} MB",
        )
        for name, values in read("compare")["contenders"].items()
    ]
    titles = (
        "program",
        "ms per training step (quartiles)",
        "digits/s, one by one",
        "digits/s, by 1,000",
        "first step done after",
        "peak memory",
    )
    return markdown(titles, rows)


def exports() -> str:
    """Markdown, a row per model and format: size, digits a second, what it answers."""
    rows = [
        (
            f"{model}, {name}" if "bytes" in values else f"{model}, {name}, for comparison",
            size(values["bytes"]) if "bytes" in values else "",
            f"{values['digits_per_second']['1']['median']:,.0f}",
            f"{values['digits_per_second']['1000']['median']:,.0f}",
            f"{values['largest_difference']:.0e}" if "bytes" in values else "",
            percent(values["agreement"]) if "bytes" in values else "",
        )
        for model, formats in read("exports")["models"].items()
        for name, values in formats.items()
    ]
    titles = (
        "export",
        "size",
        "digits/s, one by one",
        "digits/s, by 1,000",
        "largest difference",
        "same answer",
    )
    return markdown(titles, rows)


def stops() -> str:
    """Markdown, a row per signal: how often it came when, in runs that were resumed."""
    counts, moments = read("faults")["stops"], ("in a save", "at random", "after the end")
    rows = [
        (signal, *(str(counts.get(f"{signal} {moment}", 0)) for moment in moments))
        for signal in ("SIGKILL", "SIGTERM", "SIGINT")
    ]
    return markdown(("stopped by", *moments), rows)


OUTCOMES = {  # of damage.py, by the column that they are counted in
    "as undamaged": ("as undamaged",),
    "as undamaged, and said what was lost": (
        "as undamaged, by an older checkpoint",
        "as undamaged, but for reports, and said so",
    ),
    "without what was lost, and said so": (
        "an older checkpoint, and said so",
        "other results, and said why",
    ),
    "refused in a line": ("refused",),
}


def damage() -> str:
    """Markdown, a row per kind of file: how many cases of damage ended how."""
    rows = []
    for kind, counts in read("damage")["by_file"].items():
        ended = [sum(counts.get(name, 0) for name in names) for names in OUTCOMES.values()]
        faults = sum(counts.values()) - sum(ended)
        rows.append((kind, *(str(count) for count in (*ended, faults))))
    return markdown(("damaged", *OUTCOMES, "fault"), rows)


def clusters() -> str:
    """Markdown, a row per manner of training: updates and images a second of each program."""
    measured = read("cluster")["results"]
    rows = []
    for manner in measured["softmax"]:
        row = [manner]
        for manners in measured.values():
            rates = manners[manner]
            row += [with_spread(rates["updates_per_second"]), f"{rates['images_per_second']:,}"]
        rows.append(tuple(row))
    titles = [f"{program}: {what}/s" for program in measured for what in ("updates", "images")]
    return markdown(("trained by", *titles), rows)


def size(count: int) -> str:
    """31937 -> "32 kB", 13100510 -> "13.1 MB"."""
    return f"{count / 1e3:,.0f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def with_spread(values: dict[str, float]) -> str:
    """Median and quartiles, as in "20.1 (19.8 to 20.6)"."""
    median, low, high = (values[key] for key in ("median", "lower_quartile", "upper_quartile"))
    return f"{median:.1f} ({low:.1f} to {high:.1f})"


def markdown(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in (titles, *rows)]
    return "\n".join([lines[0], "|---" * len(titles) + "|", *lines[1:]])


def recipes() -> str:
    """Markdown, a row per recipe: what it changes, and what it gives."""
    rows = []
    for program, name in (("softmax", "best"), ("cnn", "fast"), ("cnn", "best")):
        result = read(f"accuracy-{program}-{name}")
        settings = RECIPES[program][name].items()
        sets = " ".join(f"--{field.replace('_', '-')} {value}" for field, value in settings)
        accuracy, seeds = result["test_accuracy"], len(result["runs"])
        rows.append(
            (
                f"`{program} --recipe {name}`",
                f"`{sets}`",
                f"mean {percent(accuracy['mean'])}, lowest {percent(accuracy['lowest'])} "
                f"of {seeds} seeds",
                duration(result["seconds"]["mean"]),
            )
        )
    return markdown(("recipe", "what it sets", "test accuracy", "training"), rows)


def duration(seconds: float) -> str:
    """71 -> "71 s", 960 -> "16 min"."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def read(name: str) -> dict[str, Any]:
    """A result file."""
    values: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return values


def percent(fraction: float) -> str:
    """0.9922 -> "99.22 %"."""
    return f"{100 * fraction:.2f} %"


if __name__ == "__main__":
    main()
