"""The confusion matrix: what is taken for what, and how often."""

from __future__ import annotations

import numpy as np

from deep_mnist.report.figure import GRID, INK, MARGIN, MUTED, WIDTH, Picture, Sheet
from deep_mnist.report.predictions import Answers, confusion
from deep_mnist.report.runs import Run

CELL = 0.338  # inches
LEFT, TOP = 0.5, 0.5
DARK_TEXT, LIGHT_TEXT = "#111111", "#fefefe"  # on colours that stay as they are on dark screens


def draw(run: Run, answers: Answers) -> Picture:
    """Rows are what the digits are, columns what is said; colour is for the mistakes alone."""
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    table = confusion(answers)
    wrong = table - np.diag(table.diagonal())
    sheet = Sheet(_title(run, answers), _note(wrong), 10 * CELL + TOP + MARGIN)
    axes = sheet.empty_axes(MARGIN, MARGIN, WIDTH - 2 * MARGIN, 10 * CELL + TOP)
    axes.text(LEFT + 5 * CELL, 0.12, "said", color=MUTED, ha="center", va="center")
    axes.text(0.1, TOP + 5 * CELL, "is", color=MUTED, ha="center", va="center")
    axes.text(LEFT + 10 * CELL + 0.1, TOP - 0.16, "right", color=MUTED, va="center")
    shades = colormaps["Oranges"]
    largest = max(int(wrong.max()), 1)
    for row in range(10):
        y = TOP + CELL * row
        axes.text(LEFT - 0.16, y + CELL / 2, row, ha="center", va="center", color=INK)
        axes.text(LEFT + CELL * (row + 0.5), TOP - 0.16, row, ha="center", va="center", color=INK)
        share = table[row, row] / max(int(table[row].sum()), 1)
        axes.text(
            LEFT + 10 * CELL + 0.1, y + CELL / 2, f"{100 * share:.1f} %", va="center", color=INK
        )
        for column in range(10):
            count = int(table[row, column])
            if count == 0:
                continue
            x = LEFT + CELL * column
            depth = 0.12 + 0.68 * np.sqrt(count / largest)
            mistake = row != column
            color = shades(depth) if mistake else GRID
            axes.add_patch(
                Rectangle((x + 0.01, y + 0.01), CELL - 0.02, CELL - 0.02, color=color, linewidth=0)
            )
            text = (LIGHT_TEXT if depth > 0.6 else DARK_TEXT) if mistake else INK
            place = (x + CELL / 2, y + CELL / 2)
            axes.text(*place, count, ha="center", va="center", color=text, size=7.5)
    return sheet.picture(f"confusion-{run.kind}", _alt(run, answers, table, wrong))


def _title(run: Run, answers: Answers) -> str:
    number = len(answers.labels)
    return f"{run.model} reads {answers.correct:,} of {number:,} test {run.digits}"


def _note(wrong: np.ndarray) -> str:
    if not wrong.any():
        return "No digit is taken for another."
    row, column = np.unravel_index(wrong.argmax(), wrong.shape)
    count = int(wrong[row, column])
    times = "once" if count == 1 else f"{count} times"
    return (
        f"A row is what a digit is, a column what is said. Most often, {times}: {row} as {column}."
    )


def _alt(run: Run, answers: Answers, table: np.ndarray, wrong: np.ndarray) -> str:
    order = np.argsort(wrong, axis=None, kind="stable")[::-1][:5]
    pairs = [np.unravel_index(place, wrong.shape) for place in order]
    worst = ", ".join(f"{r} as {c} {wrong[r, c]} times" for r, c in pairs if wrong[r, c])
    shares = table.diagonal() / np.maximum(table.sum(axis=1), 1)
    right = ", ".join(f"{digit} {100 * share:.1f} %" for digit, share in enumerate(shares))
    return (
        f"Confusion matrix of {run.model}: {answers.correct:,} of {len(answers.labels):,} right. "
        f"Taken for another most often: {worst or 'none'}. Read right by digit: {right}."
    )
