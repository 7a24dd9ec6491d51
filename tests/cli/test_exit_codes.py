"""How a command ends, and what it prints to standard error."""

import io
import os
import signal
import subprocess
import sys
import threading

import pytest

from deep_mnist.cli import exit_code
from deep_mnist.errors import CheckpointError, DeepMnistError, Interrupted


def fails(error):
    def command():
        raise error

    return command


def test_success_is_0_and_other_codes_are_passed_on(capsys):
    assert exit_code("cnn", lambda: None) == 0
    assert exit_code("cnn", lambda: 1) == 1
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "printed"),
    [
        (DeepMnistError("found 0"), "error: cnn: found 0\n"),
        (DeepMnistError("found 0", hint="use 1"), "error: cnn: found 0\nhint: use 1\n"),
        (CheckpointError("damaged"), "error: cnn: damaged\n"),
        (
            DeepMnistError("a\nb\x1b[2J", hint="c\nd"),
            "error: cnn: a\\nb\\x1b[2J\nhint: c\\nd\n",
        ),
    ],
)
def test_a_users_mistake_is_2_and_is_printed_without_a_traceback(error, printed, capsys):
    assert exit_code("cnn", fails(error)) == 2
    assert capsys.readouterr() == ("", printed)


@pytest.mark.parametrize(
    ("error", "printed"),
    [
        (FileNotFoundError(2, "No such file or directory", "a"), "a: No such file or directory"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("the connection was lost"), "the connection was lost"),
        (PermissionError(13, "Permission denied", b"a"), "b'a': Permission denied"),
    ],
)
def test_an_error_of_the_operating_system_is_2(error, printed, capsys):
    assert exit_code("cnn", fails(error)) == 2
    assert capsys.readouterr().err == f"error: cnn: {printed}\n"


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        exit_code("cnn", lambda: 1 // 0)


def test_ctrl_c_is_130(capsys):
    assert exit_code("cnn", fails(KeyboardInterrupt()), stopped="nothing was saved") == 130
    assert capsys.readouterr().err == "cnn: nothing was saved\n"


def test_sigterm_is_143_and_the_handler_is_restored(capsys):
    before = signal.getsignal(signal.SIGTERM)
    assert exit_code("cnn", lambda: os.kill(os.getpid(), signal.SIGTERM)) == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert capsys.readouterr().err == "cnn: stopped\n"


def test_an_interrupted_run_prints_how_to_continue(capsys):
    error = Interrupted(signal.SIGINT, "step 3 is saved", hint="resume with: ...")
    assert exit_code("cnn", fails(error)) == 130
    assert capsys.readouterr().err == "cnn: step 3 is saved\nhint: resume with: ...\n"


def test_a_command_runs_in_any_thread():
    codes = []
    thread = threading.Thread(target=lambda: codes.append(exit_code("cnn", lambda: None)))
    thread.start()
    thread.join()
    assert codes == [0]


def test_an_ignored_sigterm_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert exit_code("cnn", lambda: os.kill(os.getpid(), signal.SIGTERM)) == 0
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell's pipe")
def test_a_closed_pipe_is_1_without_a_traceback():
    code = (
        "import sys; from deep_mnist.cli import exit_code\n"
        "def command():\n"
        "    for _ in range(100_000): print('line')\n"
        "sys.exit(exit_code('cnn', command))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 1


def test_a_path_that_is_not_utf8_can_be_printed(monkeypatch):
    strict = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="strict", write_through=True)
    monkeypatch.setattr(sys, "stdout", strict)
    assert exit_code("cnn", lambda: print(os.fsdecode(b"run\xff"))) == 0
    assert strict.buffer.getvalue() == b"run\\udcff\n"
