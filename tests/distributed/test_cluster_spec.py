"""TF_CONFIG and flags of a cluster; every mistake is an error with exit code 2."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from deep_mnist import cnn, fnn, mlp, softmax
from deep_mnist.data import Split
from deep_mnist.distributed import cluster_spec, config_check, reachability, server, sharding
from deep_mnist.distributed.__main__ import main
from deep_mnist.distributed.chief import due_step
from deep_mnist.distributed.task import Task
from deep_mnist.errors import DeepMnistError
from deep_mnist.training import RunConfig

CLUSTER = {"ps": ["a:2222"], "worker": ["b:2222", "c:2222"]}


def tf_config(cluster, job="worker", index=0):
    return json.dumps({"cluster": cluster, "task": {"type": job, "index": index}})


def task(cluster, job="worker", index=0, **settings):
    return Task("softmax", *cluster_spec.from_tf_config(tf_config(cluster, job, index)), **settings)


@pytest.fixture
def error_of(capsys, monkeypatch):
    """Runs softmax with a wrong TF_CONFIG or wrong flags; returns what it prints."""
    monkeypatch.setattr(os, "_exit", sys.exit)  # a task ends its process

    def run(tf_config, *flags):
        monkeypatch.setenv("TF_CONFIG", tf_config)
        try:
            code = main(["softmax", *flags])
        except SystemExit as end:
            code = end.code
        assert code == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        lines = printed.err.splitlines()
        assert lines[0].startswith("error: distributed: ")
        assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("hint: "))
        return printed.err

    return run


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected JSON, found something else"),
        ("worker:0", "expected JSON, found something else"),
        (100_000 * "[", "expected JSON, found something else"),
        (
            tf_config({"ps": ["a:2222"], "worker": {"1": "c:2222"}}, index=1),
            "expected a chief, or worker:0, which acts as the chief; found neither",
        ),
        (
            tf_config({"ps": ["a:2222"], "worker": {"0": "b:1", "00": "c:1"}}),
            "worker: an index is listed twice, found ['0', '00']",
        ),
        (
            '{"cluster": {"ps": ["a:1"], "ps": ["b:1"], "worker": ["c:1"]}}',
            "'ps' is listed twice in one object",
        ),
        (
            tf_config({"ps": ["localhost:2222"], "worker": ["127.0.0.1:2222"]}),
            "worker:0 and ps:0 have the same address 127.0.0.1:2222",
        ),
        (  # what Kubeflow's training operator v1 gives a ps with enableDynamicWorker
            '{"sparseCluster": {"worker": {}, "ps": ["a:1"]}, "task": {"type": "ps", "index": 1}}',
            "remove enableDynamicWorker from the TFJob",
        ),
        ("[]", "expected a JSON object, found a list"),
        ('{"task": {"type": "worker", "index": 0}}', '"cluster" is missing'),
        (json.dumps({"cluster": CLUSTER}), '"task": expected "type" and "index"'),
        (
            json.dumps({"cluster": CLUSTER, "task": {"index": 0}}),
            '"task": expected "type" and "index"',
        ),
        (
            tf_config(CLUSTER, "wroker"),
            "expected a task of chief, master, worker, ps, evaluator",
        ),
        (tf_config(CLUSTER, ["worker"]), "expected a task of chief, master, worker, ps"),
        (tf_config(CLUSTER, index=2), "worker:2 is not in the cluster, which has worker:0, worker"),
        (tf_config(CLUSTER, "chief"), "chief:0 is not in the cluster, which has no chief"),
        (tf_config(CLUSTER, index=-1), '"task": expected an index of at least 0, found -1'),
        (tf_config(CLUSTER, index="first"), "expected an index of at least 0, found 'first'"),
        (tf_config(CLUSTER, index=True), "expected an index of at least 0, found True"),
        (tf_config([]), "TF_CONFIG: expected addresses by job"),
        (tf_config({**CLUSTER, "gpu": ["d:1"]}), "expected jobs of chief, master, worker, ps"),
        (tf_config({**CLUSTER, "ps": "a:2222"}), "ps: expected a list of addresses"),
        (tf_config({**CLUSTER, "ps": {"x": "a:2222"}}), "ps: expected a list of addresses"),
        (tf_config({**CLUSTER, "ps": ["a"]}), "ps:0: expected HOST:PORT, a port from 1 to 65535"),
        (tf_config({**CLUSTER, "ps": ["a:0"]}), "ps:0: expected HOST:PORT"),
        (tf_config({**CLUSTER, "ps": ["a:70000"]}), "ps:0: expected HOST:PORT"),
        (tf_config({**CLUSTER, "ps": ["http://a:80"]}), "ps:0: expected HOST:PORT"),
        (tf_config({**CLUSTER, "ps": [7]}), "ps:0: expected HOST:PORT"),
        (tf_config({**CLUSTER, "ps": ["b:2222"]}), "have the same address b:2222"),
        (tf_config({**CLUSTER, "chief": ["d:1", "e:1"]}), "expected one chief, found chief:0 and"),
        (tf_config({**CLUSTER, "chief": ["d:1"], "master": ["e:1"]}), "expected one chief, found"),
        (tf_config({"worker": ["b:1", "c:1"]}), "the cluster has no ps"),
        (
            tf_config({"ps": ["a:1"]}, "ps"),
            "expected a chief, or worker:0, which acts as the chief; found neither",
        ),
    ],
)
def test_mistakes_in_tf_config(error_of, text, message):
    assert message in error_of(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cluster", "ps=a:1", "worker=b:1"], "--cluster needs --task"),
        (["--cluster", "ps=a:1", "worker", "--task", "worker:0"], "expected JOB=HOST:PORT,HOST"),
        (["--cluster", "ps=a:1", "worker=b", "--task", "worker:0"], "worker:0: expected HOST:PORT"),
        (["--cluster", "ps=a:1", "worker=b:1", "--task", "worker"], "--task: expected JOB:INDEX"),
        (["--cluster", "ps=a:1", "ps=b:1", "--task", "ps:0"], "--cluster: ps is listed twice"),
        (["--local", "2ps"], "such as 1ps,2w or 2w, at most 64 in all, found '2ps'"),
        (["--local", "1ps,99w"], "such as 1ps,2w or 2w, at most 64 in all, found '1ps,99w'"),
        (["--local", "2w"], "the cluster has no ps"),
        (
            ["--local", "1ps,2w", "--strategy", "all-reduce"],
            "no parameter servers, found ps:0",
        ),
        (["--local", "1ps,2w", "--task", "ps:0"], "--task needs --cluster"),
        (["--local", "1ps,2w", "--batch-size", "0"], "--batch-size: expected"),
        (["--local", "1ps,2w", "--backup-workers", "1"], "--backup-workers needs --sync"),
        (["--local", "1ps,2w", "--sync", "--backup-workers", "2"], "fewer than the 2 work"),
        (["--sync"], "expected a cluster, found none"),
        (["--stall-timeout", "soon"], "expected seconds above 0, found 'soon'"),
        (
            ["--local", "1ps,2w", "--restore"],
            "hint: evaluate in one process with: python -m deep_mnist.softmax",
        ),
        (["--local", "1ps,2w", "--resume"], "--resume: expected the run's directory"),
    ],
)
def test_mistakes_in_flags(error_of, arguments, message):
    assert message in error_of("", *arguments)


@pytest.mark.parametrize("arguments", [[], ["mlp"], ["--local", "1ps,2w", "softmax"]])
def test_the_program_comes_first(arguments, capsys):
    assert main(arguments) == 2
    assert "expected softmax or cnn as the first argument, found" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["cnn", "-h"]])
def test_help_fits_one_screen(arguments, capsys):
    with pytest.raises(SystemExit) as done:
        main(arguments)
    assert done.value.code == 0
    printed = capsys.readouterr().out
    assert "--local" in printed
    assert len(printed.splitlines()) <= 35


def test_help_all_lists_the_flags_of_the_program(capsys):
    with pytest.raises(SystemExit):
        main(["softmax", "--help-all"])
    printed = capsys.readouterr().out
    assert "--stall-timeout" in printed
    assert "--learning-rate" in printed
    assert "--keep-prob" not in printed


def test_options_that_a_cluster_does_not_have_are_errors(error_of):
    cluster = tf_config({"ps": ["127.0.0.1:1"], "worker": ["127.0.0.1:2"]})
    assert "evaluates, and a cluster only trains" in error_of(cluster, "--restore")
    assert "--resume: expected the run's directory" in error_of(cluster, "--resume")
    two = error_of(cluster, "--cluster", "ps=a:1", "worker=b:1", "--task", "ps:0")
    assert "expected one cluster, found --cluster and TF_CONFIG" in two
    trace = error_of(cluster, "--summaries", "--trace-every", "5")
    assert "--trace-every is not available in a cluster" in trace
    plain = error_of(cluster, "--plain-steps", "5")
    assert "--plain-steps is not available in a cluster" in plain
    watched = tf_config({"ps": ["127.0.0.1:1"], "worker": ["127.0.0.1:2"]}, "evaluator")
    assert "an evaluator needs the chief's --run-dir" in error_of(watched)


def test_all_forms_of_tf_config():
    assert cluster_spec.from_tf_config("{}") is None
    assert cluster_spec.from_tf_config('{"cluster": {}, "task": {"type": "worker"}}') is None
    chief = task({"chief": ["a:1"], **CLUSTER}, "chief")
    assert (chief.is_chief, chief.rank) == (True, 0)
    assert list(chief.workers) == ["chief:0", "worker:0", "worker:1"]
    assert task({"master": ["a:1"], **CLUSTER}, "master").is_chief
    assert task(CLUSTER).is_chief
    assert not task(CLUSTER, index=1).is_chief
    sparse = task({"ps": ["a:2222"], "worker": {"1": "c:2222"}, "chief": ["b:1"]}, index=1)
    assert (sparse.address, sparse.port, sparse.rank) == ("c:2222", 2222, 2)
    assert task(CLUSTER, "evaluator").address == ""  # as Kubeflow has it
    assert task({**CLUSTER, "ps": ["[::1]:2222"]}, "ps").port == 2222
    flags = cluster_spec.from_flags(["ps=a:2222", "worker=b:2222,c:2222"], "worker:1")
    assert flags == cluster_spec.from_tf_config(tf_config(CLUSTER, index=1))


def test_workers_that_know_only_some_others_have_different_ranks_and_seeds():
    known = [{"ps": ["a:1"], "chief": ["b:1"], "worker": {str(i): f"c{i}:1"}} for i in (0, 1, 2)]
    tasks = [task(known[i], index=i) for i in (0, 1, 2)]
    assert [each.rank for each in tasks] == [1, 2, 3]
    assert len({sharding.seed(0, each) for each in tasks}) == 3
    with pytest.raises(DeepMnistError, match="synchronous training needs to know all workers"):
        cluster_spec.check_strategy(task(known[1], index=1, sync=True))
    chief = task({"chief": ["b:1"], "worker": {"1": "c:1"}}, "chief", strategy="all-reduce")
    with pytest.raises(DeepMnistError, match="all-reduce training needs to know all workers"):
        cluster_spec.check_strategy(chief)


def test_a_task_that_differs_from_the_chief_is_named():
    config, run_config = softmax.Config(), RunConfig(dataset="mnist")

    def settings(task, config=config, **changes):
        changed = dataclasses.replace(run_config, **changes)
        return config_check.shared_settings(task, config, changed)

    chief, worker = settings(task(CLUSTER)), task(CLUSTER, index=1)
    own = settings(worker, seed=7, save_every=3, intra_op_threads=1)
    config_check.check_task("worker:1", own, chief)
    for theirs, difference in (
        (settings(worker, softmax.Config(learning_rate=0.5)), "--learning-rate 0.5 instead of 0"),
        (settings(worker, dataset="generated"), "--dataset generated instead of mnist"),
        (settings(task(CLUSTER, sync=True)), "mode synchronous, 2 of 2 gradients per update inst"),
        (
            settings(dataclasses.replace(worker, program="cnn"), cnn.Config()),
            "program cnn instead of softmax",
        ),
    ):
        with pytest.raises(DeepMnistError) as raised:
            config_check.check_task("worker:1", theirs, chief)
        assert raised.value.message.startswith(f"worker:1 differs from the chief: {difference}")


def test_more_workers_than_examples_are_an_error():
    examples = Split(np.zeros((5, 784), np.uint8), np.arange(5, dtype=np.uint8))
    sparse = {"worker": {"0": "a:1", "99999": "b:1"}, "ps": ["c:1"]}
    with pytest.raises(DeepMnistError, match="has 100000 workers by the largest index"):
        sharding.shard(examples, task(sparse))


def test_the_mode_of_training():
    assert task(CLUSTER).mode == "asynchronous"
    three = {**CLUSTER, "chief": ["d:1"]}
    synchronous = task(three, sync=True, backup_workers=1).mode
    assert synchronous == "synchronous, 2 of 3 gradients per update"
    assert task({"worker": ["a:1"]}, strategy="all-reduce").mode == "all-reduce"


def test_shards_are_disjoint_and_seeds_differ():
    examples = Split(np.zeros((5, 784), np.uint8), np.arange(5, dtype=np.uint8))
    assert sharding.shard(examples, task(CLUSTER)).labels.tolist() == [0, 2, 4]
    assert sharding.shard(examples, task(CLUSTER, index=1)).labels.tolist() == [1, 3]
    assert sharding.seed(5, task(CLUSTER)) == 5
    assert sharding.seed(5, task(CLUSTER, index=1)) != 5


def test_a_report_is_made_at_the_first_own_step_after_it_is_due():
    assert due_step(-1, 0, 100) == 0
    assert due_step(98, 103, 100) == 100
    assert due_step(95, 99, 100) == 99
    assert due_step(100, 101, 100) == 101


def test_an_unreachable_task_is_named():
    with socket.create_server(("127.0.0.1", 0)) as there:
        address = f"127.0.0.1:{there.getsockname()[1]}"
        reachability.wait_for({"ps:0": address})
        with socket.create_server(("127.0.0.1", 0)) as gone:
            missing = f"127.0.0.1:{gone.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(DeepMnistError, match=rf"^ps:1 \({missing}\): no answer for 0\.6 s"):
            reachability.wait_for({"ps:0": address, "ps:1": missing, "ps:2": address}, 0.6)
        assert time.monotonic() - start < 5


def test_all_unreachable_tasks_are_tried_at_the_same_time_and_named(monkeypatch):
    monkeypatch.setattr(reachability, "is_reachable", lambda address, seconds: time.sleep(seconds))
    servers = {f"ps:{i}": f"10.0.0.{i}:2222" for i in range(30)}
    start = time.monotonic()
    with pytest.raises(
        DeepMnistError, match=r"^ps:0 \(10\.0\.0\.0:2222\), ps:1 .*, ps:29 .*: no answer"
    ):
        reachability.wait_for(servers, 0.5)
    assert time.monotonic() - start < 3


def test_another_program_on_the_port_of_a_parameter_server_is_an_error(error_of):
    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        with socket.create_server(("127.0.0.1", 0)) as free:
            own = free.getsockname()[1]
        flags = f"--cluster ps=127.0.0.1:{web.server_port} worker=127.0.0.1:{own} --task worker:0"
        error = error_of("", *flags.split())
        web.shutdown()
    assert f"ps:0 (127.0.0.1:{web.server_port}): another program than TensorFlow listens" in error


def test_a_silent_program_on_the_port_of_a_parameter_server_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        error = rf"^ps:0 \({address}\): no answer for 0\.1 s from what listens there"
        with pytest.raises(DeepMnistError, match=error):
            reachability.wait_for_answer({"ps:0": address}, 0.1)


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize("program", [mlp, fnn, softmax])
def test_the_plain_command_does_not_train_as_a_task_of_a_cluster(program, capsys, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tf_config(CLUSTER))
    assert program.main([]) == 2
    error = capsys.readouterr().err
    assert "TF_CONFIG lists a cluster of 3 tasks, and this command trains in one process" in error
    command = "python -m deep_mnist.distributed softmax"
    assert (command if program is softmax else "unset TF_CONFIG") in error
    monkeypatch.setenv("TF_CONFIG", tf_config({"worker": ["a:1"]}))  # as for a job of one process
    assert program.main(["--steps", "-1"]) == 2
    assert "--steps: expected" in capsys.readouterr().err


def test_a_port_that_is_in_use_is_an_error(error_of):
    with socket.create_server(("", 0)) as there:
        number = there.getsockname()[1]
        flags = f"--cluster ps=127.0.0.1:{number} worker=127.0.0.1:1 --task ps:0"
        error = error_of("", *flags.split())
    assert f"ps:0: port {number} is unavailable: Address already in use\n" in error


def test_a_task_is_reachable_while_its_port_is_reserved():
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    this = task({"ps": [address], "worker": ["b:1"]}, "ps")
    with server.reserve_port(this):
        assert reachability.is_reachable(address)
    assert not reachability.is_reachable(address)


def test_the_plain_command_imports_nothing_of_clusters():
    code = (
        "import sys\nfrom deep_mnist import softmax\n"
        "softmax.main(['--steps', '0'])\n"
        "print([name for name in sys.modules if name.startswith('deep_mnist.distributed')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_finished_run_with_other_settings_is_an_error(error_of, capsys):
    quick = ["--dataset", "generated", "--batch-size", "5"]
    softmax.main([*quick, "--steps", "2", "--run-dir", "run"])
    capsys.readouterr()
    cluster = tf_config({"ps": ["127.0.0.1:1"], "worker": ["127.0.0.1:2"]})
    said = error_of(cluster, *quick, "--steps", "3", "--run-dir", "run")
    assert "run has a run with other settings: --steps 2 instead of 3" in said
