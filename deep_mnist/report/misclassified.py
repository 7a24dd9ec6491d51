"""The misread digits, the surest mistakes first: what they are, what was said, how surely."""

from __future__ import annotations

import numpy as np

from deep_mnist.report.figure import (
    MARGIN,
    MUTED,
    VERMILLION,
    WIDTH,
    Picture,
    Sheet,
    ink_on_white,
    tiles,
)
from deep_mnist.report.predictions import Answers
from deep_mnist.report.runs import Run

COLUMNS, ROWS = 6, 5
TILE, WORDS = 0.62, 0.36  # inches: a digit, and the two lines below it
NOTE = {
    "mlp": "How sure it was is no probability: its outputs are fitted to 0 and 1 by squared error."
}


def draw(run: Run, answers: Answers) -> Picture | None:
    """None where every digit is read right."""
    said = answers.answers
    wrong = np.flatnonzero(said != answers.labels)
    if len(wrong) == 0:
        return None
    sureness = answers.probabilities.max(axis=1)
    surest = wrong[np.argsort(-sureness[wrong], kind="stable")][: COLUMNS * ROWS]
    rows = -(-len(surest) // COLUMNS)
    shown = f"the {len(surest)} surest" if len(surest) < len(wrong) else "all of them"
    sheet = Sheet(
        f"{len(wrong):,} {run.digits} {run.model} misreads: {shown}",
        NOTE.get(run.model, "Below each: what was said and how surely, and what it is."),
        rows * (TILE + WORDS) + MARGIN,
    )
    width = WIDTH - 2 * MARGIN
    axes = sheet.empty_axes(MARGIN, MARGIN, width, rows * (TILE + WORDS))
    pitch = width / COLUMNS
    for row in range(rows):
        chosen = surest[row * COLUMNS : (row + 1) * COLUMNS]
        images = ink_on_white(answers.images[chosen].reshape(-1, 28, 28) / 255)
        gap = round(28 * (pitch - TILE) / TILE)
        y = row * (TILE + WORDS)
        right = len(chosen) * pitch - (pitch - TILE)
        extent = (0, right, y + TILE, y)
        axes.imshow(tiles(images, len(chosen), gap), extent=extent, interpolation="none")
        for column, index in enumerate(chosen):
            x = column * pitch + TILE / 2
            words = f"{said[index]}, {_percent(sureness[index])}"
            axes.text(x, y + TILE + 0.1, words, color=VERMILLION, ha="center", va="center", size=8)
            is_ = f"is {answers.labels[index]}"
            axes.text(x, y + TILE + 0.23, is_, color=MUTED, ha="center", va="center", size=7.5)
    axes.set(xlim=(0, width), ylim=(rows * (TILE + WORDS), 0), aspect="auto")
    alt = "; ".join(
        f"{answers.labels[i]} read as {said[i]}, {_percent(sureness[i])} sure" for i in surest
    )
    alt = f"{len(surest)} of {len(wrong):,} misread digits: {alt}."
    return sheet.picture(f"misread-{run.kind}", alt)


def _percent(share: float) -> str:
    """A share below 1 never reads as 100 %."""
    return f"{np.floor(1000 * share) / 10:.1f} %" if share > 0.99 else f"{100 * share:.0f} %"
