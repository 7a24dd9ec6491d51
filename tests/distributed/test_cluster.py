"""Clusters on this machine, over the loopback: `python -m pytest -m cluster`, many minutes.

Every wait is bounded, and every process is killed with its group at a test's end.
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

from deep_mnist import data
from deep_mnist.lazy_tensorflow import tf

pytestmark = pytest.mark.cluster

PATIENCE = 420  # seconds for what takes 10 on a machine of its own
REAL_DATA = Path.cwd() / os.environ.get("DEEP_MNIST_DATA_DIR", "MNIST_data")


@pytest.fixture
def source():
    """Flags for MNIST where it is, which is read sooner than generated digits are drawn."""
    return ["--data-dir", str(REAL_DATA)] if REAL_DATA.is_dir() else ["--dataset", "generated"]


class Cluster:
    """Tasks of one cluster as processes, each with the same command and its own TF_CONFIG."""

    def __init__(self, *tasks):
        self.tasks = {}  # job -> addresses
        self.processes = {}
        with contextlib.ExitStack() as stack:
            for name in tasks:
                free = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
                job = name.split(":")[0]
                self.tasks.setdefault(job, []).append(f"127.0.0.1:{free.getsockname()[1]}")
        self.command = []

    def start(self, task, *arguments):
        job, index = task.split(":")
        cluster = {name: tasks for name, tasks in self.tasks.items() if name != "evaluator"}
        config = {"cluster": cluster, "task": {"type": job, "index": int(index)}}
        with Path(f"{task}.txt").open("a") as output:
            self.processes[task] = subprocess.Popen(
                [sys.executable, "-m", *self.command, *arguments],
                env={**os.environ, "TF_CONFIG": json.dumps(config)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start_all(self):
        for job, addresses in self.tasks.items():
            for index in range(len(addresses)):
                self.start(f"{job}:{index}")

    def said(self, task):
        return Path(f"{task}.txt").read_text()

    def wait_for(self, task, pattern):
        """Waits until the task has said something, while it lives."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.said(task)):
            code = self.processes[task].poll()
            assert code is None, f"{task} ended with {code}: {self.said(task)}"
            assert time.monotonic() < deadline, f"{task} did not say {pattern}: {self.said(task)}"
            time.sleep(0.05)

    def codes(self):
        """The exit codes of all, once they have ended."""
        deadline = time.monotonic() + PATIENCE
        for task, process in self.processes.items():
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                said = "\n".join(self.said(each) for each in self.processes)
                pytest.fail(f"{task} does not end: {said}")
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

    def make(*tasks, flags=""):
        made.append(Cluster(*tasks))
        made[-1].command = ["deep_mnist.softmax", *source, "--run-dir", "run", *flags.split()]
        return made[-1]

    yield make
    for each in made:
        each.kill_all()


def result():
    return json.loads(Path("run/result.json").read_text())


def ended_well(cluster):
    codes = cluster.codes()
    output = {task: cluster.said(task) for task in codes}
    assert set(codes.values()) == {0}, output
    assert not any("Traceback" in text for text in output.values()), output
    return True


@pytest.mark.parametrize("manner", ["", "--sync"])
def test_one_ps_and_two_workers_train_and_all_end(cluster, mnist_dir, manner):
    tasks = cluster("ps:0", "worker:0", "worker:1", "evaluator:0", flags=manner)
    tasks.start_all()
    assert ended_well(tasks)
    assert result()["test_accuracy"] >= 0.90
    assert result()["train_examples"] == 55_000
    assert 1000 <= result()["cluster"]["updates"] <= 1002
    assert tasks.said("worker:0").splitlines()[-1].startswith("test accuracy 0.9")
    assert "step" not in tasks.said("ps:0")
    assert re.search(r"\nstep 100\d, validation accuracy 0\.[89]", tasks.said("evaluator:0"))
    assert "worker:1 took " in tasks.said("worker:1")
    assert "unauthenticated" in tasks.said("ps:0")
    # The chief alone writes, and only into its run.
    outputs = [f"{task}.txt" for task in tasks.processes]
    assert sorted(path.name for path in Path().iterdir()) == sorted([*outputs, "run"])
    # Whoever is started again by the same command finds the run finished.
    for task in ("ps:0", "worker:0", "worker:1"):
        tasks.start(task)
    assert ended_well(tasks)
    assert "is finished: step 1000" in tasks.said("worker:1")


@pytest.mark.parametrize("manner", ["", "--sync"])
@pytest.mark.parametrize("victim", ["ps:0", "worker:0", "worker:1"])
def test_who_is_killed_and_started_again_does_not_end_the_run(cluster, victim, manner):
    flags = f"--steps 4000 --save-every 100 --log-every 100 {manner}"
    tasks = cluster("ps:0", "worker:0", "worker:1", flags=flags)
    tasks.start_all()
    tasks.wait_for("worker:1", "joins at step")
    tasks.wait_for("worker:0", "step 300,")
    tasks.kill(victim)
    tasks.processes[victim].wait()
    tasks.start(victim)
    assert ended_well(tasks)
    assert result()["cluster"]["updates"] >= 4000
    if victim != "worker:0":  # the chief, which came again, knows of its own steps alone
        assert result()["ms_per_step"] == pytest.approx(result()["seconds"] / 4, rel=0.01)
    metrics = Path("run/metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in metrics]
    assert steps == sorted(set(steps))
    said = tasks.said("worker:0")
    if victim == "worker:1":
        assert "going on" not in said
    else:
        going_on = re.search(r"going on with \S*run after step (\d+)", said)
        assert int(going_on.group(1)) >= 200


@pytest.mark.parametrize("told", [True, False])
def test_a_chief_killed_after_its_result_is_not_missed(cluster, told):
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--steps 500")
    if not told:  # then the parameter server can't see the result, and the chief has to come again
        tasks.command = [*tasks.command[:3], "--steps", "500"]
    tasks.start("ps:0")
    tasks.start("worker:1")
    program, *flags = tasks.command
    Path("dies.py").write_text(
        "import os, signal\n"
        f"from {program.replace('.', ' import ')} as program\n"
        "from deep_mnist.distributed.parameter_server_session import SharedSession\n"
        "SharedSession.release = lambda self: os.kill(os.getpid(), signal.SIGKILL)\n"
        "program.main()\n"
    )
    tasks.command = ["dies", *flags]
    tasks.start("worker:0")
    assert tasks.processes["worker:0"].wait(PATIENCE) == -signal.SIGKILL
    assert "test accuracy" in tasks.said("worker:0")
    if told:
        assert tasks.codes() == {"ps:0": 0, "worker:0": -signal.SIGKILL, "worker:1": 0}
    tasks.command = [program, *flags]
    tasks.start("worker:0")
    assert ended_well(tasks)


@pytest.mark.parametrize("manner", ["", "--sync"])
def test_a_chief_whose_loss_diverged_ends_them_all_at_once(cluster, manner):
    flags = f"--steps 1000000 --log-every 2000 --learning-rate 3e38 {manner}"
    tasks = cluster("ps:0", "worker:0", "worker:1", flags=flags)
    tasks.start("ps:0")
    tasks.start("worker:1")
    tasks.wait_for("worker:1", "waits for worker:0")
    tasks.start("worker:0")
    assert tasks.processes["worker:0"].wait(PATIENCE) == 2
    gave_up = time.monotonic()
    assert tasks.codes() == {"ps:0": 2, "worker:0": 2, "worker:1": 2}
    assert time.monotonic() - gave_up < 20
    assert "the weights are not finite after step" in tasks.said("worker:0").splitlines()[-1]
    assert not list(Path("run").glob("model.ckpt-*"))
    assert tasks.said("worker:1").endswith("softmax: worker:0 gave up: see what it says\n")
    assert tasks.said("ps:0").endswith("softmax: ps:0: worker:0 gave up: see what it says\n")


def test_a_chief_whose_tensorflow_fails_ends_them_all_at_once(cluster):
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--steps 1000000")
    tasks.start("ps:0")
    tasks.start("worker:1")
    tasks.wait_for("worker:1", "waits for worker:0")
    Path("fails.py").write_text(
        "import sys\n"
        "from deep_mnist import softmax\n"
        "from deep_mnist.training import tf\n"
        "from deep_mnist.distributed.chief import Chief\n"
        "def report(self, step, accuracy, loss):\n"
        "    raise tf.errors.ResourceExhaustedError(None, None, 'out of memory')\n"
        "Chief.report = report\n"
        "sys.exit(softmax.main())\n"
    )
    tasks.command = ["fails", *tasks.command[1:]]
    tasks.start("worker:0")
    assert tasks.processes["worker:0"].wait(PATIENCE) == 2
    failed = time.monotonic()
    assert tasks.codes() == {"ps:0": 2, "worker:0": 2, "worker:1": 2}
    assert time.monotonic() - failed < 20
    assert tasks.said("worker:0").endswith("worker:0: TensorFlow failed: out of memory\n")
    assert tasks.said("worker:1").endswith("softmax: worker:0 gave up: see what it says\n")


def test_a_chief_without_a_run_dir_asks_the_ps_for_its_run(cluster):
    tasks = cluster("ps:0", "chief:0", "worker:0")
    flags = "--steps 4000 --save-every 100 --log-every 100".split()
    tasks.command = [*tasks.command[:3], *flags]
    tasks.start_all()
    tasks.wait_for("chief:0", "step 300,")
    tasks.kill("chief:0")
    tasks.processes["chief:0"].wait()
    tasks.start("chief:0")
    assert ended_well(tasks)
    assert re.search(r"going on with /\S+ after step [2-9]\d\d", tasks.said("chief:0"))
    (directory,) = Path("saved/runs/softmax").iterdir()
    assert (directory / "result.json").exists()


def test_a_worker_with_other_data_is_refused(cluster, mnist_dir):
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--stall-timeout 60")
    tasks.start("ps:0")
    tasks.start("worker:0")
    tasks.command = ["deep_mnist.softmax", "--dataset", "generated"]
    tasks.start("worker:1")
    tasks.wait_for("worker:0", "test accuracy")
    assert tasks.codes() == {"ps:0": 0, "worker:0": 0, "worker:1": 2}
    assert "worker:1 found generated, and the chief trains on mnist" in tasks.said("worker:1")


def test_a_worker_with_another_program_is_refused(cluster):
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--steps 1000000")
    tasks.start("ps:0")
    tasks.start("worker:0")
    tasks.command = ["deep_mnist.cnn", *tasks.command[1:]]
    tasks.start("worker:1")
    assert tasks.processes["worker:1"].wait(PATIENCE) == 2
    assert "worker:1 runs cnn, and the chief softmax" in tasks.said("worker:1")
    tasks.kill("worker:0", signal.SIGTERM)
    tasks.kill("ps:0", signal.SIGTERM)
    assert tasks.codes() == {"ps:0": 143, "worker:0": 143, "worker:1": 2}


def test_a_parameter_server_of_another_run_before_misleads_no_worker(cluster):
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--steps 500")
    tasks.start("ps:0")
    tasks.start("worker:0")
    tasks.wait_for("worker:0", "step 0,")
    tasks.kill("worker:0", signal.SIGTERM)
    assert tasks.processes["worker:0"].wait(PATIENCE) == 143
    tasks.command = [*tasks.command[:-4], "--run-dir", "adam", "--steps", "600"]
    tasks.start("worker:1", "--optimizer", "adam")
    tasks.wait_for("worker:1", "waits for worker:0")
    tasks.start("worker:0", "--optimizer", "adam")
    assert ended_well(tasks)
    assert re.search(r"worker:1 joins at step \d+", tasks.said("worker:1"))


def test_weights_that_are_no_numbers_are_no_beginning_for_a_cluster(cluster):
    Path("bad").mkdir()
    weights = {"W": np.full((784, 10), np.nan, np.float32), "b": np.zeros(10, np.float32)}
    np.savez("bad/bad.npz", **weights)
    tasks = cluster("ps:0", "worker:0", "worker:1", flags="--restore bad/bad.npz --steps 100")
    tasks.start_all()
    assert tasks.processes["worker:0"].wait(PATIENCE) == 2
    said = tasks.said("worker:0").splitlines()[-1]
    assert "the weights of bad/bad.npz hold numbers that are not finite" in said
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("program", "flags", "mistake"),
    [
        ("softmax", ["--learning-rate", "0.02"], "has other settings than the chief: --learning-r"),
        ("cnn", [], "runs cnn, and the chief softmax"),
    ],
)
def test_all_reduce_with_a_worker_unlike_the_chief_ends_at_once(cluster, program, flags, mistake):
    tasks = cluster("chief:0", "worker:0", flags="--strategy all-reduce")
    tasks.start("chief:0")
    tasks.command[0] = f"deep_mnist.{program}"
    tasks.start("worker:0", *flags)
    assert tasks.codes() == {"chief:0": 2, "worker:0": 2}
    for task in ("chief:0", "worker:0"):
        assert f": worker:0 {mistake}" in tasks.said(task).splitlines()[-1]


def test_backup_workers_do_without_one_that_never_comes_back(cluster):
    flags = "--steps 4000 --save-every 1000 --sync --backup-workers 1"
    tasks = cluster("ps:0", "worker:0", "worker:1", flags=flags)
    tasks.start_all()
    tasks.wait_for("worker:1", "joins at step")
    tasks.kill("worker:1")
    codes = tasks.codes()
    assert codes == {"ps:0": 0, "worker:0": 0, "worker:1": -signal.SIGKILL}
    assert result()["cluster"]["updates"] == 4000


def test_a_worker_ten_seconds_late_joins(cluster):
    flags = "--steps 20000 --save-every 10000 --log-every 1000"
    tasks = cluster("ps:0", "worker:0", "worker:1", flags=flags)
    tasks.start("ps:0")
    tasks.start("worker:0")
    tasks.wait_for("worker:0", "step 0,")
    time.sleep(10 if "step 16000" not in tasks.said("worker:0") else 0)
    tasks.start("worker:1")
    assert ended_well(tasks)
    assert re.search(r"worker:1 joins at step [1-9]", tasks.said("worker:1"))


def test_a_ps_that_is_missing_is_named(cluster):
    tasks = cluster("ps:0", "worker:0")
    started = time.monotonic()
    tasks.start("worker:0")
    assert tasks.codes() == {"worker:0": 2}
    assert time.monotonic() - started < 15
    address = re.escape(tasks.tasks["ps"][0])
    assert re.fullmatch(
        rf"softmax: ps:0 \({address}\): no answer in 10 s: start what is missing, .*\n",
        tasks.said("worker:0"),
    )


def test_a_step_that_stalls_ends_with_a_sentence(cluster):
    tasks = cluster(
        "ps:0", "worker:0", "worker:1", flags="--steps 100000 --sync --stall-timeout 20"
    )
    tasks.start_all()
    tasks.wait_for("worker:1", "joins at step")
    tasks.wait_for("worker:0", "step 100,")
    tasks.kill("worker:1")
    code = tasks.processes["worker:0"].wait(PATIENCE)
    said = tasks.said("worker:0").splitlines()[-1]
    assert code == 2
    assert "no answer for 20 s: worker:1 (" in said
    assert "can't be reached" in said
    saved = int(re.search(r"step (\d+) of 100000 is saved", said).group(1))
    assert Path(f"run/model.ckpt-{saved}.index").exists()
    assert tasks.processes["ps:0"].wait(PATIENCE) == 2
    assert "no worker could be reached for 20 s" in tasks.said("ps:0")


@pytest.mark.parametrize("manner", ["", "--sync"])
def test_sigterm_saves_and_the_same_command_goes_on(cluster, manner):
    flags = f"--steps 6000 --save-every 5000 --log-every 100 {manner}"
    tasks = cluster("ps:0", "worker:0", "worker:1", flags=flags)
    tasks.start_all()
    tasks.wait_for("worker:1", "joins at step")
    tasks.wait_for("worker:0", "step 200,")
    for task in tasks.processes:
        tasks.kill(task, signal.SIGTERM)
    assert tasks.codes() == {"ps:0": 143, "worker:0": 143, "worker:1": 143}
    stopped = tasks.said("worker:0").splitlines()[-1]
    saved = int(re.search(r"step (\d+) of 6000 is saved in", stopped).group(1))
    assert saved >= 200
    tasks.start_all()
    assert ended_well(tasks)
    assert f"going on with run after step {saved}\n" in tasks.said("worker:0")


def test_another_run_in_the_directory_is_left_alone(cluster):
    Path("run").mkdir()
    tasks = cluster("ps:0", "worker:0", flags="--steps 10")
    tasks.start_all()
    assert ended_well(tasks)
    Path("run/result.json").unlink()
    tasks.start("worker:0", "--steps", "20")
    assert tasks.processes["worker:0"].wait(PATIENCE) == 2
    assert "holds a run with other settings: --steps 10 instead of 20" in tasks.said("worker:0")


def test_resume_names_the_run(cluster):
    tasks = cluster("ps:0", "worker:0", flags="--steps 10")
    tasks.start_all()
    assert ended_well(tasks)
    Path("run/result.json").unlink()
    tasks.command = ["deep_mnist.softmax", *tasks.command[1:3], "--resume", "run"]
    tasks.start_all()
    assert ended_well(tasks)
    assert result()["steps"] == 10


def test_all_reduce_trains_and_goes_on_after_a_loss(cluster):
    flags = "--steps 3000 --save-every 200 --strategy all-reduce"
    tasks = cluster("chief:0", "worker:0", flags=flags)
    tasks.start_all()
    tasks.wait_for("chief:0", "step 300,")
    tasks.kill("worker:0")
    codes = tasks.codes()
    assert codes == {"chief:0": 2, "worker:0": -signal.SIGKILL}
    lost = f"softmax: worker:0 ({tasks.tasks['worker'][0]}) was lost ("
    last = tasks.said("chief:0").splitlines()[-1]
    assert last.startswith(lost)
    saved = re.search(r"step (\d+) of 3000 is saved in", last).group(1)
    tasks.start_all()
    assert ended_well(tasks)
    assert int(saved) >= 300
    assert f"going on with run after step {saved}\n" in tasks.said("chief:0")
    joined = re.findall(r"worker:0 joins at step (\d+)", tasks.said("worker:0"))
    assert joined[-1] == saved
    assert result()["cluster"]["updates"] == 3000


@pytest.mark.parametrize("order", [("worker:0", "chief:0"), ("chief:0", "worker:0")])
def test_sigterm_one_after_the_other_saves_in_all_reduce_too(cluster, order):
    flags = "--steps 1000000 --save-every 500000 --strategy all-reduce"
    tasks = cluster("chief:0", "worker:0", flags=flags)
    tasks.start_all()
    tasks.wait_for("chief:0", "step 100,")
    for task in order:
        tasks.kill(task, signal.SIGTERM)
        time.sleep(0.5)
    assert tasks.codes() == {"chief:0": 143, "worker:0": 143}
    saved = re.search(r"step (\d+) of 1000000 is saved", tasks.said("chief:0")).group(1)
    assert int(saved) >= 100
    assert Path(f"run/model.ckpt-{saved}.index").exists()


def test_an_update_by_all_reduce_is_the_mean_of_the_workers_gradients():
    flags = "--dataset generated --local-cluster 2w --strategy all-reduce --steps 1 --run-dir run"
    process = local("deep_mnist.softmax", *flags.split())
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    train, gradients = data.load_data("generated").train, []
    for position, seed in ((0, 0), (1, 1_000_003)):
        own = data.Split(train.images[position::2], train.labels[position::2])
        labels = next(data.batches(own, 50, seed)).labels
        gradients.append((0.1 - labels).sum(axis=0))  # every probability is 0.1 at first
    b = tf.train.load_variable("run", "b")
    np.testing.assert_allclose(b, -0.01 * np.mean(gradients, axis=0), rtol=1e-5, atol=1e-6)


def local(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    "manner",
    ["1ps,2w", "2ps,2w --sync", "2w --strategy all-reduce", "1ps,2w --average-decay 0.9 --restore"],
)
def test_a_local_cluster_trains_the_cnn(source, manner):
    flags = f"--local-cluster {manner} --steps 6 --batch-size 5 --log-every 2 --run-dir run"
    process = local("deep_mnist.cnn", *source, *flags.split())
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output + errors
    assert re.search(r"^worker:0 \| step 0, training accuracy", output, re.MULTILINE)
    assert re.search(r"^worker:0 \| test accuracy 0\.\d+", output, re.MULTILINE)
    assert all(re.match(r"(ps|worker):\d +\| cnn: warning: ", line) for line in errors.splitlines())
    # The checkpoint is one as a single process writes them.
    evaluate = local("deep_mnist.cnn", *source, "--restore", "run", "--quiet")
    printed, _ = evaluate.communicate(timeout=PATIENCE)
    assert evaluate.returncode == 0
    assert printed.strip() in output


def test_ctrl_c_ends_a_local_cluster_with_all_its_processes(source):
    flags = "--local-cluster 1ps,2w --steps 1000000 --run-dir run".split()
    process = local("deep_mnist.softmax", *source, *flags)
    for line in process.stdout:
        if "step 100," in line:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert errors.endswith("softmax: stopped, and every process with it\n")
    assert re.search(r"worker:0 \| softmax: stopped; step \d+ of 1000000 is saved", errors)


def wait_until_ended(numbers):
    deadline = time.monotonic() + 60
    while left := [number for number in numbers if Path(f"/proc/{number}").exists()]:
        assert time.monotonic() < deadline, f"{left} are still there"
        time.sleep(0.1)


@pytest.fixture
def training(source):
    """A local cluster at work: its process, and the numbers of the tasks' processes."""
    flags = "--local-cluster 1ps,2w --steps 1000000 --run-dir run".split()
    process = local("deep_mnist.softmax", *source, *flags)
    for line in process.stdout:
        if "step 100," in line:
            break
    numbers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(numbers) == 3
    yield process, numbers
    for number in [process.pid, *map(int, numbers)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    process.stderr.close()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are looked for in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_the_processes_of_a_local_cluster_end_with_who_started_them(training, number):
    process, tasks = training
    process.send_signal(number)
    assert process.wait(PATIENCE) == -number
    wait_until_ended(tasks)
    assert list(Path("run").glob("model.ckpt-*.index"))  # the chief has saved


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are looked for in /proc")
def test_a_local_cluster_that_nobody_reads_ends(training):
    process, tasks = training
    process.stdout.close()
    assert process.wait(PATIENCE) == 1
    wait_until_ended(tasks)
    assert "Traceback" not in process.stderr.read()
