"""Clusters on this machine, over the loopback: `python -m pytest -m cluster`, many minutes.

Every wait has a time limit, and every process is killed with its group at a test's end.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import data, load_model
from deep_mnist.lazy_tensorflow import tf

pytestmark = pytest.mark.cluster

TIMEOUT = 420  # seconds for what takes 10 on an idle machine
REAL_DATA = Path.cwd() / os.environ.get("DEEP_MNIST_DATA_DIR", "MNIST_data")


@pytest.fixture
def source():
    """Flags for MNIST where it is on disk; loading it is faster than drawing synthetic digits."""
    return ["--data-dir", str(REAL_DATA)] if REAL_DATA.is_dir() else ["--dataset", "generated"]


class Cluster:
    """Tasks of one cluster as processes, each with the same command and its own TF_CONFIG."""

    def __init__(self, tasks, flags):
        self.cluster = {}  # addresses by job
        self.processes = {}
        with contextlib.ExitStack() as stack:
            for name in tasks:
                free = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
                job = name.split(":")[0]
                self.cluster.setdefault(job, []).append(f"127.0.0.1:{free.getsockname()[1]}")
        self.module = "deep_mnist.distributed"
        self.program = "softmax"
        self.flags = flags

    def start(self, task, *flags):
        job, index = task.split(":")
        cluster = {name: tasks for name, tasks in self.cluster.items() if name != "evaluator"}
        config = {"cluster": cluster, "task": {"type": job, "index": int(index)}}
        with Path(f"{task}.txt").open("a") as output:
            self.processes[task] = subprocess.Popen(
                [sys.executable, "-m", self.module, self.program, *self.flags, *flags],
                env={**os.environ, "TF_CONFIG": json.dumps(config)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start_all(self):
        for job, addresses in self.cluster.items():
            for index in range(len(addresses)):
                self.start(f"{job}:{index}")

    def start_patched(self, task, patch):
        """Start a task after a few lines of Python, which may use the module `command`."""
        lines = ["import sys", "from deep_mnist.distributed import __main__ as command"]
        Path("patched.py").write_text("\n".join([*lines, patch, "sys.exit(command.main())\n"]))
        self.module = "patched"
        self.start(task)
        self.module = "deep_mnist.distributed"

    def output(self, task):
        return Path(f"{task}.txt").read_text()

    def wait_for(self, task, pattern):
        """Wait until a running task has printed something."""
        deadline = time.monotonic() + TIMEOUT
        while not re.search(pattern, self.output(task)):
            code = self.processes[task].poll()
            assert code is None, f"{task} ended with {code}: {self.output(task)}"
            assert time.monotonic() < deadline, f"{task}: no {pattern} in {self.output(task)}"
            time.sleep(0.05)

    def code(self, task):
        """Return the exit code of a task, once it has ended."""
        return self.processes[task].wait(TIMEOUT)

    def codes(self):
        """Return the exit codes of all tasks, once they have ended."""
        deadline = time.monotonic() + TIMEOUT
        for task, process in self.processes.items():
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                outputs = "\n".join(self.output(each) for each in self.processes)
                pytest.fail(f"{task} does not end: {outputs}")
        return {task: process.returncode for task, process in self.processes.items()}

    def kill(self, task, number=signal.SIGKILL):
        self.processes[task].send_signal(number)

    def kill_all(self):
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def cluster(source):
    """Makes a cluster that trains softmax regression in run/."""
    made = []

    def make(*tasks, flags="", run_dir="run"):
        run = ["--run-dir", run_dir] if run_dir else []
        made.append(Cluster(tasks, [*source, *run, *flags.split()]))
        return made[-1]

    yield make
    for each in made:
        each.kill_all()


def result():
    return json.loads(Path("run/result.json").read_text())


def all_succeeded(cluster):
    codes = cluster.codes()
    output = {task: cluster.output(task) for task in codes}
    assert set(codes.values()) == {0}, output
    assert not any("Traceback" in text for text in output.values()), output
    return True


@pytest.mark.parametrize("mode", ["", "--sync"])
def test_a_parameter_server_and_two_workers_train_and_all_end(cluster, mnist_dir, mode):
    tasks = cluster("ps:0", "worker:0", "worker:1", "evaluator:0", flags=mode)
    tasks.start_all()
    assert all_succeeded(tasks)
    assert result()["test_accuracy"] >= 0.90
    assert result()["train_examples"] == 55_000
    assert result()["cluster"]["mode"].startswith("synchronous" if mode else "asynchronous")
    assert 1000 <= result()["cluster"]["updates"] <= 1002
    assert tasks.output("worker:0").splitlines()[-1].startswith("test accuracy 0.9")
    assert "step" not in tasks.output("ps:0")
    assert re.search(r"\nstep 100\d, validation accuracy 0\.[89]", tasks.output("evaluator:0"))
    assert "worker:1 took " in tasks.output("worker:1")
    assert "without authentication" in tasks.output("ps:0")
    # The chief alone writes, and only into its run.
    outputs = [f"{task}.txt" for task in tasks.processes]
    assert sorted(path.name for path in Path().iterdir()) == sorted([*outputs, "run"])
    # A task that is started again by the same command finds the run finished.
    for task in ("ps:0", "worker:0", "worker:1"):
        tasks.start(task)
    assert all_succeeded(tasks)
    assert "is finished: 1000 steps" in tasks.output("worker:1")


@pytest.mark.parametrize("mode", ["", "--sync"])
@pytest.mark.parametrize("victim", ["ps:0", "worker:0", "worker:1"])
def test_training_continues_after_a_task_is_killed_and_restarted(cluster, victim, mode):
    flags = f"--steps 4000 --save-every 100 --log-every 100 {mode}"
    tasks = cluster("ps:0", "worker:0", "worker:1", flags=flags)
    tasks.start_all()
    tasks.wait_for("worker:1", "joins at step")
    tasks.wait_for("worker:0", "step 300,")
    tasks.kill(victim)
    tasks.processes[victim].wait()
    tasks.start(victim)
    assert all_succeeded(tasks)
    assert result()["cluster"]["updates"] >= 4000
    if victim != "worker:0":  # a restarted chief counts the steps since its restart
        assert result()["ms_per_step"] == pytest.approx(result()["seconds"] / 4, rel=0.01)
    metrics = Path("run/metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in metrics]
    assert steps == sorted(set(steps))
    output = tasks.output("worker:0")
    if victim == "worker:1":
        assert "resuming" not in output
    else:
        assert int(re.search(r"resuming \S*run after step (\d+)", output).group(1)) >= 200


@pytest.mark.parametrize("run_dir", ["run", None])
def test_a_chief_killed_after_its_result_is_not_needed(cluster, run_dir):
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--steps 500", run_dir=run_dir)
    tasks.start("ps:0")
    tasks.start("worker:1")
    tasks.start_patched(
        "worker:0",
        "import os, signal\n"
        "from deep_mnist.distributed.parameter_server_session import ParameterServerSession\n"
        "def die(self):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "ParameterServerSession.announce_finished = die",
    )
    assert tasks.code("worker:0") == -signal.SIGKILL
    assert "test accuracy" in tasks.output("worker:0")
    if run_dir is not None:  # otherwise the parameter server does not find the result
        assert tasks.codes() == {"ps:0": 0, "worker:0": -signal.SIGKILL, "worker:1": 0}
    tasks.start("worker:0")
    assert all_succeeded(tasks)


@pytest.mark.parametrize("mode", ["", "--sync"])
def test_all_tasks_end_at_once_when_the_loss_diverges(cluster, mode):
    flags = f"--steps 1000000 --log-every 2000 --learning-rate 3e38 {mode}"
    tasks = cluster("ps:0", "worker:0", "worker:1", flags=flags)
    tasks.start("ps:0")
    tasks.start("worker:1")
    tasks.wait_for("worker:1", "waits for the chief, worker:0")
    tasks.start("worker:0")
    assert tasks.code("worker:0") == 2
    failed = time.monotonic()
    assert tasks.codes() == {"ps:0": 2, "worker:0": 2, "worker:1": 2}
    assert time.monotonic() - failed < 20
    diverged = "training diverged: the weights are non-finite after step"
    assert f"error: distributed: {diverged}" in tasks.output("worker:0")
    assert not list(Path("run").glob("model.ckpt-*"))
    for task in ("worker:1", "ps:0"):
        assert f"error: distributed: {task}: worker:0 failed: {diverged}" in tasks.output(task)


def test_all_tasks_end_at_once_when_tensorflow_fails_in_the_chief(cluster):
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--steps 1000000")
    tasks.start("ps:0")
    tasks.start("worker:1")
    tasks.wait_for("worker:1", "waits for the chief, worker:0")
    tasks.start_patched(
        "worker:0",
        "from deep_mnist.lazy_tensorflow import tf\n"
        "from deep_mnist.distributed.chief import Chief\n"
        "def report(self, step, accuracy, loss):\n"
        "    raise tf.errors.ResourceExhaustedError(None, None, 'out of memory')\n"
        "Chief.report = report",
    )
    assert tasks.code("worker:0") == 2
    failed = time.monotonic()
    assert tasks.codes() == {"ps:0": 2, "worker:0": 2, "worker:1": 2}
    assert time.monotonic() - failed < 20
    assert tasks.output("worker:0").endswith("worker:0: TensorFlow failed: out of memory\n")
    assert tasks.output("worker:1").endswith(
        "error: distributed: worker:1: worker:0 failed: "
        "worker:0: TensorFlow failed: out of memory\n"
        "hint: read its output\n"
    )


@pytest.mark.parametrize("mode", ["", "--sync"])
def test_all_tasks_end_at_once_when_the_chief_fails_before_the_run(cluster, mode):
    Path("run").mkdir()
    Path("run/notes.txt").write_text("not a run")
    tasks = cluster("ps:0", "worker:0", "worker:1", "evaluator:0", flags=mode)
    for task in ("ps:0", "worker:1", "evaluator:0"):
        tasks.start(task)
    tasks.wait_for("worker:1", "waits for the chief, worker:0")
    time.sleep(5)  # the evaluator needs it to start
    tasks.start("worker:0")
    assert tasks.code("worker:0") == 2
    failed = time.monotonic()
    assert set(tasks.codes().values()) == {2}
    assert time.monotonic() - failed < 20
    error = tasks.output("worker:0").partition("error: distributed: ")[2].splitlines()[0]
    for task in ("ps:0", "worker:1", "evaluator:0"):
        assert f"error: distributed: {task}: worker:0 failed: {error}\n" in tasks.output(task)


def test_a_chief_that_is_restarted_after_an_error_trains(cluster):
    Path("run").mkdir()
    Path("run/notes.txt").write_text("not a run")
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--steps 20")
    host, _, port = tasks.cluster["worker"][1].rpartition(":")
    with socket.create_server((host, int(port))):  # a worker for which the server waits
        tasks.start("ps:0")
        tasks.wait_for("ps:0", "listens on port")
        tasks.start("worker:0")
        assert tasks.code("worker:0") == 2
        Path("run/notes.txt").unlink()
        tasks.start("worker:0")
        tasks.wait_for("worker:0", "step 0,")
    assert tasks.codes() == {"ps:0": 0, "worker:0": 0}


def test_a_second_chief_does_not_end_the_run(cluster):
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--steps 4000")
    tasks.start_all()
    tasks.wait_for("worker:0", "step 100,")
    running = tasks.processes["worker:0"]
    tasks.start("worker:0")
    assert tasks.code("worker:0") == 2
    assert "is unavailable: Address already in use" in tasks.output("worker:0")
    tasks.processes["worker:0"] = running
    assert set(tasks.codes().values()) == {0}


def test_a_restarted_chief_without_run_dir_finds_its_run(cluster):
    flags = "--steps 4000 --save-every 100 --log-every 100"
    tasks = cluster("ps:0", "chief:0", "worker:0", flags=flags, run_dir=None)
    tasks.start_all()
    tasks.wait_for("chief:0", "step 300,")
    tasks.kill("chief:0")
    tasks.processes["chief:0"].wait()
    tasks.start("chief:0")
    assert all_succeeded(tasks)
    assert re.search(r"resuming /\S+ after step [2-9]\d\d", tasks.output("chief:0"))
    (directory,) = Path("saved/runs/softmax").iterdir()
    assert (directory / "result.json").exists()


def test_a_worker_with_another_dataset_is_an_error(cluster, mnist_dir):
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--stall-timeout 60")
    tasks.start("ps:0")
    tasks.start("worker:0")
    tasks.flags = ["--dataset", "generated"]
    tasks.start("worker:1")
    tasks.wait_for("worker:0", "test accuracy")
    assert tasks.codes() == {"ps:0": 0, "worker:0": 0, "worker:1": 2}
    output = tasks.output("worker:1")
    assert "worker:1 differs from the chief: --dataset generated instead of mnist\n" in output


def test_a_worker_with_another_program_is_an_error(cluster):
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--steps 1000000")
    tasks.start("ps:0")
    tasks.start("worker:0")
    tasks.program = "cnn"
    tasks.start("worker:1")
    assert tasks.code("worker:1") == 2
    output = tasks.output("worker:1")
    assert "worker:1 differs from the chief: program cnn instead of softmax\n" in output
    tasks.kill("worker:0", signal.SIGTERM)
    tasks.kill("ps:0", signal.SIGTERM)
    assert tasks.codes() == {"ps:0": 143, "worker:0": 143, "worker:1": 2}


def test_workers_ignore_the_announcement_of_an_earlier_run(cluster):
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--steps 500")
    tasks.start("ps:0")
    tasks.start("worker:0")
    tasks.wait_for("worker:0", "step 0,")
    tasks.kill("worker:0", signal.SIGTERM)
    assert tasks.code("worker:0") == 143
    tasks.flags = [*tasks.flags[:-4], "--run-dir", "adam", "--steps", "600"]
    tasks.start("worker:1", "--optimizer", "adam")
    tasks.wait_for("worker:1", "waits for the chief, worker:0")
    tasks.start("worker:0", "--optimizer", "adam")
    assert all_succeeded(tasks)
    assert re.search(r"worker:1 joins at step \d+", tasks.output("worker:1"))


def test_a_cluster_does_not_start_from_non_finite_weights(cluster):
    Path("bad").mkdir()
    weights = {"W": np.full((784, 10), np.nan, np.float32), "b": np.zeros(10, np.float32)}
    np.savez("bad/bad.npz", **weights)
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--restore bad/bad.npz --steps 100")
    tasks.start_all()
    assert tasks.code("worker:0") == 2
    assert "error: distributed: the weights of bad/bad.npz are non-finite\n" in tasks.output(
        "worker:0"
    )
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("program", "flags", "difference"),
    [
        ("softmax", ["--learning-rate", "0.02"], "--learning-rate 0.02 instead of 0.01"),
        ("cnn", [], "program cnn instead of softmax"),
    ],
)
def test_all_workers_end_where_one_differs_in_all_reduce(cluster, program, flags, difference):
    tasks = cluster("chief:0", "worker:0", flags="--strategy all-reduce")
    tasks.start("chief:0")
    tasks.program = program
    tasks.start("worker:0", *flags)
    assert tasks.codes() == {"chief:0": 2, "worker:0": 2}
    for task in ("chief:0", "worker:0"):
        error = f"error: distributed: worker:0 differs from the chief: {difference}\n"
        assert error in tasks.output(task)


def test_training_with_a_backup_worker_continues_without_a_lost_one(cluster):
    flags = "--steps 4000 --save-every 1000 --sync --backup-workers 1"
    tasks = cluster("ps:0", "worker:0", "worker:1", flags=flags)
    tasks.start_all()
    tasks.wait_for("worker:1", "joins at step")
    tasks.kill("worker:1")
    codes = tasks.codes()
    assert codes == {"ps:0": 0, "worker:0": 0, "worker:1": -signal.SIGKILL}
    assert result()["cluster"]["updates"] == 4000


def test_a_worker_that_starts_ten_seconds_late_joins(cluster):
    flags = "--steps 20000 --save-every 10000 --log-every 1000"
    tasks = cluster("ps:0", "worker:0", "worker:1", flags=flags)
    tasks.start("ps:0")
    tasks.start("worker:0")
    tasks.wait_for("worker:0", "step 0,")
    time.sleep(10 if "step 16000" not in tasks.output("worker:0") else 0)
    tasks.start("worker:1")
    assert all_succeeded(tasks)
    assert re.search(r"worker:1 joins at step [1-9]", tasks.output("worker:1"))


def test_a_missing_parameter_server_is_named(cluster):
    tasks = cluster("ps:0", "worker:0")
    started = time.monotonic()
    tasks.start("worker:0")
    assert tasks.codes() == {"worker:0": 2}
    assert time.monotonic() - started < 15
    assert tasks.output("worker:0") == (
        f"error: distributed: ps:0 ({tasks.cluster['ps'][0]}): no answer for 10 s\n"
        "hint: start it or correct its address, then start this task again\n"
    )


def stall_worker_0(tasks):
    """Stop worker:1 at a moment when worker:0 cannot continue alone.

    Where more tokens are in the queue than gradients are needed, worker:0 contributes both
    gradients of each update. A stopped worker's gradient is then stale, and its token lost.
    """
    for _ in range(10):
        tasks.kill("worker:1", signal.SIGSTOP)
        time.sleep(1)
        before = tasks.output("worker:0")
        time.sleep(3)
        if tasks.output("worker:0") == before:
            return
        tasks.kill("worker:1", signal.SIGCONT)
        time.sleep(1)
    pytest.fail(f"worker:0 continues alone: {tasks.output('worker:0')}")


def test_a_step_that_stalls_ends_with_an_error(cluster):
    flags = "--steps 100000 --sync --stall-timeout 20 --log-every 10"
    tasks = cluster("ps:0", "worker:0", "worker:1", flags=flags)
    tasks.start_all()
    tasks.wait_for("worker:1", "joins at step")
    tasks.wait_for("worker:0", "step 100,")
    stall_worker_0(tasks)
    tasks.kill("worker:1")
    assert tasks.code("worker:0") == 2
    error, hint = tasks.output("worker:0").splitlines()[-2:]
    address = tasks.cluster["worker"][1]
    assert f"no answer for 20 s: worker:1 ({address}) cannot be reached; stopped" in error
    assert hint == "hint: resume with the same command of every task"
    saved = int(re.search(r"step (\d+) of 100000 is saved", error).group(1))
    assert Path(f"run/model.ckpt-{saved}.index").exists()
    assert tasks.code("ps:0") == 2
    assert "ps:0: worker:0 failed: no answer for 20 s: worker:1" in tasks.output("ps:0")


@pytest.mark.parametrize("mode", ["", "--sync"])
def test_sigterm_saves_and_the_same_command_resumes(cluster, mode):
    flags = f"--steps 6000 --save-every 5000 --log-every 100 {mode}"
    tasks = cluster("ps:0", "worker:0", "worker:1", flags=flags)
    tasks.start_all()
    tasks.wait_for("worker:1", "joins at step")
    tasks.wait_for("worker:0", "step 200,")
    for task in tasks.processes:
        tasks.kill(task, signal.SIGTERM)
    assert tasks.codes() == {"ps:0": 143, "worker:0": 143, "worker:1": 143}
    stopped = re.search(r"step (\d+) of 6000 is saved in", tasks.output("worker:0"))
    saved = int(stopped.group(1))
    assert saved >= 200
    tasks.start_all()
    assert all_succeeded(tasks)
    assert f"resuming run after step {saved}\n" in tasks.output("worker:0")


def test_a_run_with_other_settings_is_not_continued(cluster):
    Path("run").mkdir()
    tasks = cluster("ps:0", "worker:0", flags="--steps 10")
    tasks.start_all()
    assert all_succeeded(tasks)
    Path("run/result.json").unlink()
    tasks.start("worker:0", "--steps", "20")
    assert tasks.code("worker:0") == 2
    error = "error: distributed: run has a run with other settings: --steps 10 instead of 20\n"
    assert error in tasks.output("worker:0")


def test_resume_continues_the_named_run(cluster):
    tasks = cluster("ps:0", "worker:0", flags="--steps 10")
    tasks.start_all()
    assert all_succeeded(tasks)
    Path("run/result.json").unlink()
    tasks.flags = [*tasks.flags[:2], "--resume", "run"]
    tasks.start_all()
    assert all_succeeded(tasks)
    assert result()["steps"] == 10


def test_all_reduce_trains_and_continues_after_a_worker_is_lost(cluster):
    flags = "--steps 3000 --save-every 200 --strategy all-reduce"
    tasks = cluster("chief:0", "worker:0", flags=flags)
    tasks.start_all()
    tasks.wait_for("chief:0", "step 300,")
    tasks.kill("worker:0")
    codes = tasks.codes()
    assert codes == {"chief:0": 2, "worker:0": -signal.SIGKILL}
    error, hint = tasks.output("chief:0").splitlines()[-2:]
    address = tasks.cluster["worker"][0]
    assert error.startswith(f"error: distributed: worker:0 ({address}) was lost (")
    assert hint == "hint: resume with the same command of every task"
    saved = re.search(r"step (\d+) of 3000 is saved in", error).group(1)
    tasks.start_all()
    assert all_succeeded(tasks)
    assert int(saved) >= 300
    assert f"resuming run after step {saved}\n" in tasks.output("chief:0")
    joined = re.findall(r"worker:0 joins at step (\d+)", tasks.output("worker:0"))
    assert joined[-1] == saved
    assert result()["cluster"]["updates"] == 3000


@pytest.mark.parametrize("order", [("worker:0", "chief:0"), ("chief:0", "worker:0")])
def test_sigterm_to_one_task_after_the_other_saves_in_all_reduce(cluster, order):
    flags = "--steps 1000000 --save-every 500000 --strategy all-reduce"
    tasks = cluster("chief:0", "worker:0", flags=flags)
    tasks.start_all()
    tasks.wait_for("chief:0", "step 100,")
    for task in order:
        tasks.kill(task, signal.SIGTERM)
        time.sleep(0.5)
    assert tasks.codes() == {"chief:0": 143, "worker:0": 143}
    saved = re.search(r"step (\d+) of 1000000 is saved", tasks.output("chief:0")).group(1)
    assert int(saved) >= 100
    assert Path(f"run/model.ckpt-{saved}.index").exists()


def start(module, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def start_local(program, *flags):
    return start("deep_mnist.distributed", program, *flags)


def test_an_all_reduce_update_is_the_mean_of_the_workers_gradients():
    flags = "--dataset generated --local 2w --strategy all-reduce --steps 1 --run-dir run"
    process = start_local("softmax", *flags.split())
    _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, errors
    train, gradients = data.load_data("generated").train, []
    for rank, seed in ((0, 0), (1, 1_000_003)):
        shard = data.Split(train.images[rank::2], train.labels[rank::2])
        labels = next(data.batches(shard, 50, seed)).labels
        gradients.append((0.1 - labels).sum(axis=0))  # every probability is 0.1 at first
    b = tf.train.load_variable("run", "b")
    np.testing.assert_allclose(b, -0.01 * np.mean(gradients, axis=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["2ps,2w --sync", "2w --strategy all-reduce"])
def test_weights_decay_once_per_update_of_all_workers(mode):
    flags = f"--dataset generated --local {mode} --restore --steps 1 --run-dir run"
    rates = "--learning-rate 0.5 --weight-decay 0.2"
    process = start_local("softmax", *flags.split(), *rates.split())
    _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, errors
    # A pixel that is 0 in every image has the gradient 0.
    unused = data.load_data("generated").train.images.max(axis=0) == 0
    with load_model("softmax") as pretrained:
        W = tf.train.load_variable(str(pretrained.path), "W")[unused]
    assert np.abs(W).max() > 0.01
    np.testing.assert_allclose(tf.train.load_variable("run", "W")[unused], 0.9 * W, rtol=1e-5)


@pytest.mark.parametrize(
    "mode",
    [
        "1ps,2w",
        "2ps,2w --sync",
        "2w --strategy all-reduce",
        "2ps,2w --sync --weight-decay 0.1 --restore",
    ],
)
def test_a_local_cluster_trains_the_cnn(source, mode):
    flags = f"--local {mode} --steps 6 --batch-size 5 --log-every 2 --run-dir run"
    process = start_local("cnn", *source, *flags.split())
    output, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, output + errors
    assert re.search(r"^worker:0 \| step 0, training accuracy", output, re.MULTILINE)
    assert re.search(r"^worker:0 \| test accuracy 0\.\d+", output, re.MULTILINE)
    warning = re.compile(r"(ps|worker):\d +\| warning: distributed: ")
    assert all(warning.match(line) for line in errors.splitlines()), errors
    # The checkpoint is like one of a single process.
    evaluate = start("deep_mnist.cnn", *source, "--restore", "run", "--quiet")
    printed, _ = evaluate.communicate(timeout=TIMEOUT)
    assert evaluate.returncode == 0
    assert printed.strip() in output


def test_ctrl_c_ends_a_local_cluster_with_all_its_processes(source):
    flags = "--local 1ps,2w --steps 1000000 --run-dir run".split()
    process = start_local("softmax", *source, *flags)
    for line in process.stdout:
        if "step 100," in line:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert errors.endswith("distributed: stopped; all processes have ended\n")
    assert re.search(r"worker:0 \| distributed: stopped; step \d+ of 1000000 is saved", errors)


def wait_until_ended(processes):
    deadline = time.monotonic() + 60
    while running := [number for number in processes if Path(f"/proc/{number}").exists()]:
        assert time.monotonic() < deadline, f"{running} are still running"
        time.sleep(0.1)


@pytest.fixture
def training(source):
    """A local cluster that trains: its process, and the ids of the tasks' processes."""
    flags = "--local 1ps,2w --steps 1000000 --run-dir run".split()
    process = start_local("softmax", *source, *flags)
    for line in process.stdout:
        if "step 100," in line:
            break
    tasks = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(tasks) == 3
    yield process, tasks
    for number in [process.pid, *map(int, tasks)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    process.stderr.close()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_the_tasks_of_a_local_cluster_end_with_the_process_that_started_them(training, number):
    process, tasks = training
    process.send_signal(number)
    assert process.wait(TIMEOUT) == -number
    wait_until_ended(tasks)
    assert list(Path("run").glob("model.ckpt-*.index"))  # the chief has saved


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_local_cluster_ends_when_its_output_is_closed(training):
    process, tasks = training
    process.stdout.close()
    assert process.wait(TIMEOUT) == 1
    wait_until_ended(tasks)
    assert "Traceback" not in process.stderr.read()
