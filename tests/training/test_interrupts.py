"""Signals take effect at the end of a step."""

import os
import signal
import threading

import pytest

from deep_mnist.training import interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_recorded_and_the_handlers_are_restored(number):
    before = signal.getsignal(number)
    with interrupts.deferred() as pending:
        assert pending.signal_number is None
        os.kill(os.getpid(), number)
        assert pending.signal_number == number
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_acts_at_once():
    with pytest.raises(KeyboardInterrupt), interrupts.deferred():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts.deferred() as pending:
            os.kill(os.getpid(), signal.SIGINT)
        assert pending.signal_number is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_changes():
    seen = []

    def body():
        with interrupts.deferred() as pending:
            seen.append(pending.signal_number)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [None]
