"""A bar on a terminal, plain lines elsewhere."""

import io
import os
import select
import sys

import pytest

from deep_mnist.training.progress import Progress, mark


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_lines_are_printed_where_there_is_no_terminal(capsys):
    progress = Progress(first_step=0, steps=200, quiet=False)
    progress.report(100, 0.84)
    progress.advance()
    progress.close()
    printed = capsys.readouterr()
    assert printed.out == "step 100, training accuracy 0.84\n"
    assert printed.err == ""


def test_a_programs_own_lines_are_printed_besides_the_bar(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = Progress(first_step=0, steps=2, quiet=False)
    progress.report(0, 0.84, "epoch 0 : loss 24.1 ; accuracy 0.84")
    progress.close()
    assert sys.stdout.getvalue() == "epoch 0 : loss 24.1 ; accuracy 0.84\n"


def test_a_terminal_has_a_bar(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = Progress(first_step=150, steps=200, quiet=False)
    progress.report(150, 0.84)
    for _ in range(50):
        progress.advance()
    progress.close()
    assert sys.stdout.getvalue() == ""
    bar = sys.stderr.getvalue().split("\r")[-1]
    assert bar.startswith("100%|")
    assert "200/200" in bar
    assert bar.endswith("training accuracy 0.84]\n")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="Windows has no openpty")
def test_a_terminal_without_a_size_has_a_bar(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    shown, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        progress = Progress(first_step=0, steps=200, quiet=False)
        progress.advance(200)
        progress.close()
        bar = b""
        while b"200/200" not in bar:
            assert select.select([shown], [], [], 5)[0], bar
            bar += os.read(shown, 10_000)
    os.close(shown)


def test_quiet_prints_nothing_even_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = Progress(first_step=0, steps=1, quiet=True)
    progress.report(0, 0.5)
    progress.advance()
    progress.close()
    assert sys.stdout.getvalue() + sys.stderr.getvalue() == ""


@pytest.mark.parametrize("terminal", [False, True])
def test_every_figure_of_synthetic_digits_is_marked(terminal, monkeypatch, capsys):
    if terminal:
        monkeypatch.setattr(sys, "stdout", Terminal())
        monkeypatch.setattr(sys, "stderr", Terminal())
    progress = Progress(first_step=0, steps=200, quiet=False, mark=mark("generated"))
    progress.report(100, 0.84)
    progress.close()
    printed = sys.stderr.getvalue() if terminal else capsys.readouterr().out
    assert "training accuracy 0.84 (SYNTHETIC digits)" in printed
    assert mark("mnist") == ""
