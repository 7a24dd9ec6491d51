"""Who is in a cluster, by TF_CONFIG and by flags; every mistake is one line and exit code 2."""

import dataclasses
import json
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
from deep_mnist.distributed import cluster_spec, config_check, port, reachability, sharding
from deep_mnist.distributed.chief import latest_multiple
from deep_mnist.distributed.task import Task
from deep_mnist.errors import DeepMnistError

CLUSTER = {"ps": ["a:2222"], "worker": ["b:2222", "c:2222"]}


def tf_config(cluster, job="worker", index=0):
    return json.dumps({"cluster": cluster, "task": {"type": job, "index": index}})


def task(cluster, job="worker", index=0, **settings):
    return Task("softmax", *cluster_spec.from_tf_config(tf_config(cluster, job, index)), **settings)


@pytest.fixture
def fails(capsys, monkeypatch):
    """Runs softmax under a TF_CONFIG that is a mistake; returns its one line."""

    def run(text, *arguments):
        monkeypatch.setenv("TF_CONFIG", text)
        assert softmax.main(list(arguments)) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("softmax: ")
        assert printed.err.count("\n") == 1
        return printed.err

    return run


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected JSON as {"),
        ("worker:0", "expected JSON as {"),
        (100_000 * "[", "expected JSON as {"),
        (
            tf_config({"ps": ["a:2222"], "worker": {"1": "c:2222"}}, index=1),
            "expected a chief, or worker:0, which is one; found neither",
        ),
        (
            tf_config({"ps": ["a:2222"], "worker": {"0": "b:1", "00": "c:1"}}),
            "worker:0 is named twice",
        ),
        (
            '{"cluster": {"ps": ["a:1"], "ps": ["b:1"], "worker": ["c:1"]}}',
            "'ps' is named twice in one object",
        ),
        (
            tf_config({"ps": ["localhost:2222"], "worker": ["127.0.0.1:2222"]}),
            "worker:0 and ps:0 have the same address 127.0.0.1:2222",
        ),
        (  # what Kubeflow's training operator v1 gives a ps with enableDynamicWorker
            '{"sparseCluster": {"worker": {}, "ps": ["a:1"]}, "task": {"type": "ps", "index": 1}}',
            "leave enableDynamicWorker out of the TFJob",
        ),
        ("[]", "expected an object as {"),
        ('{"task": {"type": "worker", "index": 0}}', 'expected "cluster" in it'),
        (json.dumps({"cluster": CLUSTER}), 'expected "task" with "type" and "index"'),
        (
            json.dumps({"cluster": CLUSTER, "task": {"index": 0}}),
            'expected "task" with "type" and "index"',
        ),
        (
            tf_config(CLUSTER, "wroker"),
            "task: expected one of chief, master, worker, ps, evaluator",
        ),
        (tf_config(CLUSTER, ["worker"]), "task: expected one of chief, master, worker, ps"),
        (tf_config(CLUSTER, index=2), "worker:2 is not in the cluster, which has worker:0, worker"),
        (tf_config(CLUSTER, "chief"), "chief:0 is not in the cluster, which has no chief"),
        (tf_config(CLUSTER, index=-1), "task: expected an index from 0, found -1"),
        (tf_config(CLUSTER, index="first"), "task: expected an index from 0, found 'first'"),
        (tf_config(CLUSTER, index=True), "task: expected an index from 0, found True"),
        (tf_config([]), "cluster: expected jobs with addresses"),
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
            "expected a chief, or worker:0, which is one; found neither",
        ),
    ],
)
def test_mistakes_in_tf_config(fails, text, message):
    assert message in fails(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cluster", "ps=a:1", "worker=b:1"], "add --task worker:0, say"),
        (["--cluster", "ps=a:1", "worker", "--task", "worker:0"], "expected JOB=HOST:PORT,HOST"),
        (["--cluster", "ps=a:1", "worker=b", "--task", "worker:0"], "worker:0: expected HOST:PORT"),
        (["--cluster", "ps=a:1", "worker=b:1", "--task", "worker"], "--task: expected JOB:INDEX"),
        (["--cluster", "ps=a:1", "ps=b:1", "--task", "ps:0"], "found the same job twice"),
        (["--local-cluster", "2ps"], "--local-cluster: expected workers, as in 1ps,2w"),
        (["--local-cluster", "1ps,99w"], "64 processes at most, found '1ps,99w'"),
        (["--local-cluster", "2w"], "the cluster has no ps"),
        (["--local-cluster", "1ps,2w", "--strategy", "all-reduce"], "leave out ps:0"),
        (["--local-cluster", "1ps,2w", "--task", "ps:0"], "leave out --task"),
        (["--local-cluster", "1ps,2w", "--batch-size", "0"], "--batch-size: expected"),
        (["--local-cluster", "1ps,2w", "--backup-workers", "1"], "add --sync"),
        (["--local-cluster", "1ps,2w", "--sync", "--backup-workers", "2"], "fewer than the 2 work"),
        (["--sync"], "--sync: expected a cluster, found none: add --cluster JOB=HOST:PORT"),
        (["--stall-timeout", "soon"], "expected seconds, above 0, found 'soon'"),
        (["--local-cluster", "1ps,2w", "--restore"], "evaluates"),
        (["--local-cluster", "1ps,2w", "--resume"], "name it"),
    ],
)
def test_mistakes_in_flags(arguments, message, capsys, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert softmax.main(arguments) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1


def test_what_a_cluster_cannot_do_is_said(fails):
    cluster = tf_config({"ps": ["127.0.0.1:1"], "worker": ["127.0.0.1:2"]})
    assert "--restore alone evaluates, in one process" in fails(cluster, "--restore")
    assert "every task has to be told which run" in fails(cluster, "--resume")
    assert "both name a cluster" in fails(cluster, "--cluster", "ps=a:1", "--task", "ps:0")
    assert "--trace-every is of one process" in fails(cluster, "--summaries", "--trace-every", "5")
    watched = tf_config({"ps": ["127.0.0.1:1"], "worker": ["127.0.0.1:2"]}, "evaluator")
    assert "an evaluator watches a run: add --run-dir" in fails(watched)


def test_averages_are_of_asynchronous_training(monkeypatch, capsys):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    words = "--cluster ps=127.0.0.1:1 worker=127.0.0.1:2 --task worker:0 --sync --recipe best"
    assert cnn.main(words.split()) == 2
    assert "take --average-decay 0, or asynchronous training" in capsys.readouterr().err


def test_the_forms_of_tf_config():
    assert cluster_spec.from_tf_config("{}") is None
    assert cluster_spec.from_tf_config('{"cluster": {}, "task": {"type": "worker"}}') is None
    chief = task({"chief": ["a:1"], **CLUSTER}, "chief")
    assert (chief.is_chief, chief.position) == (True, 0)
    assert list(chief.workers) == ["chief:0", "worker:0", "worker:1"]
    assert task({"master": ["a:1"], **CLUSTER}, "master").is_chief
    assert task(CLUSTER).is_chief
    assert not task(CLUSTER, index=1).is_chief
    sparse = task({"ps": ["a:2222"], "worker": {"1": "c:2222"}, "chief": ["b:1"]}, index=1)
    assert (sparse.address, sparse.port, sparse.position) == ("c:2222", 2222, 2)
    assert task(CLUSTER, "evaluator").address == ""  # as Kubeflow has it
    assert task({**CLUSTER, "ps": ["[::1]:2222"]}, "ps").port == 2222
    flags = cluster_spec.from_flags(["ps=a:2222", "worker=b:2222,c:2222"], "worker:1")
    assert flags == cluster_spec.from_tf_config(tf_config(CLUSTER, index=1))


def test_workers_that_know_of_some_alone_have_places_of_their_own():
    known = [{"ps": ["a:1"], "chief": ["b:1"], "worker": {str(i): f"c{i}:1"}} for i in (0, 1, 2)]
    tasks = [task(known[i], index=i) for i in (0, 1, 2)]
    assert [each.position for each in tasks] == [1, 2, 3]
    assert len({sharding.seed(0, each) for each in tasks}) == 3
    with pytest.raises(DeepMnistError, match="--sync counts the workers"):
        cluster_spec.check_strategy(task(known[1], index=1, sync=True))
    of_the_chief = task({"chief": ["b:1"], "worker": {"1": "c:1"}}, "chief", strategy="all-reduce")
    with pytest.raises(DeepMnistError, match="the sparse form won't do: name every worker"):
        cluster_spec.check_strategy(of_the_chief)


def test_a_task_with_other_terms_than_the_chiefs_is_named():
    chief, worker = task(CLUSTER), task(CLUSTER, index=1)
    config = softmax.Config()
    agreed = config_check.of(config, "mnist", chief)
    own = dataclasses.replace(config, seed=7, save_every=3, intra_op_threads=1)
    config_check.check("worker:1", config_check.of(own, "mnist", worker), agreed)
    other = dataclasses.replace(config, learning_rate=0.5)
    with pytest.raises(
        DeepMnistError, match=r"worker:1 has .*: --learning-rate 0\.5 instead of 0\.01"
    ):
        config_check.check("worker:1", config_check.of(other, "mnist", worker), agreed)
    with pytest.raises(DeepMnistError, match="found generated, and the chief trains on mnist"):
        config_check.check("worker:1", config_check.of(config, "generated", worker), agreed)
    with pytest.raises(DeepMnistError, match="would train synchronous"):
        config_check.check(
            "worker:1", config_check.of(config, "mnist", task(CLUSTER, sync=True)), agreed
        )
    cnn_task = dataclasses.replace(worker, program="cnn")
    with pytest.raises(DeepMnistError, match="worker:1 runs cnn, and the chief softmax: give all"):
        config_check.check("worker:1", config_check.of(cnn.Config(), "mnist", cnn_task), agreed)


def test_more_workers_than_examples_are_refused():
    examples = Split(np.zeros((5, 784), np.uint8), np.arange(5, dtype=np.uint8))
    sparse = {"worker": {"0": "a:1", "99999": "b:1"}, "ps": ["c:1"]}
    with pytest.raises(DeepMnistError, match="has 100000 workers by the largest index"):
        sharding.of(examples, task(sparse))


def test_how_workers_train_together_in_words():
    assert task(CLUSTER).manner == "asynchronous"
    three = {**CLUSTER, "chief": ["d:1"]}
    synchronous = task(three, sync=True, backup_workers=1).manner
    assert synchronous == "synchronous, 2 of 3 gradients an update"


def test_shards_are_disjoint_and_seeds_differ():
    examples = Split(np.zeros((5, 784), np.uint8), np.arange(5, dtype=np.uint8))
    assert sharding.of(examples, task(CLUSTER)).labels.tolist() == [0, 2, 4]
    assert sharding.of(examples, task(CLUSTER, index=1)).labels.tolist() == [1, 3]
    assert sharding.seed(5, task(CLUSTER)) == 5
    assert sharding.seed(5, task(CLUSTER, index=1)) != 5


def test_a_report_comes_with_the_first_own_step_from_its_number_on():
    assert latest_multiple(-1, 0, 100) == 0
    assert latest_multiple(98, 103, 100) == 100
    assert latest_multiple(95, 99, 100) == 99
    assert latest_multiple(100, 101, 100) == 101


def test_what_does_not_answer_is_named():
    with socket.create_server(("127.0.0.1", 0)) as there:
        address = f"127.0.0.1:{there.getsockname()[1]}"
        reachability.wait_for({"ps:0": address})
        with socket.create_server(("127.0.0.1", 0)) as gone:
            missing = f"127.0.0.1:{gone.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(
            DeepMnistError, match=rf"^ps:1 \({missing}\): no answer in 0\.6 s: start"
        ):
            reachability.wait_for({"ps:0": address, "ps:1": missing, "ps:2": address}, 0.6)
        assert time.monotonic() - start < 5


def test_all_that_do_not_answer_are_asked_at_the_same_time_and_named(monkeypatch):
    monkeypatch.setattr(reachability, "answers", lambda address, seconds: time.sleep(seconds))
    servers = {f"ps:{i}": f"10.0.0.{i}:2222" for i in range(30)}
    start = time.monotonic()
    with pytest.raises(
        DeepMnistError, match=r"^ps:0 \(10\.0\.0\.0:2222\), ps:1 .*, ps:29 .*: no answer"
    ):
        reachability.wait_for(servers, 0.5)
    assert time.monotonic() - start < 3


def test_something_else_than_tensorflow_is_told_at_once(capsys, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        with socket.create_server(("127.0.0.1", 0)) as free:
            own = free.getsockname()[1]
        words = f"--cluster ps=127.0.0.1:{web.server_port} worker=127.0.0.1:{own} --task worker:0"
        assert softmax.main(words.split()) == 2
        web.shutdown()
    said = capsys.readouterr().err
    assert f"ps:0 (127.0.0.1:{web.server_port}): something else than TensorFlow answers" in said
    assert said.count("\n") == 1


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize("program", [mlp, fnn])
def test_programs_of_one_process_are_not_started_several_times(program, capsys, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tf_config(CLUSTER))
    assert program.main([]) == 2
    said = capsys.readouterr().err
    assert "TF_CONFIG names a cluster of 3 tasks, and" in said
    assert "trains in one process: unset TF_CONFIG, or take softmax or cnn" in said
    monkeypatch.setenv("TF_CONFIG", tf_config({"worker": ["a:1"]}))  # as for a job of one process
    assert program.main(["--steps", "-1"]) == 2
    assert "--steps: expected" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told_at_once(capsys, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with socket.create_server(("", 0)) as there:
        number = there.getsockname()[1]
        words = f"--cluster ps=127.0.0.1:{number} worker=127.0.0.1:1 --task ps:0"
        assert softmax.main(words.split()) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"softmax: ps:0: port {number} can't be had: Address already in use")
        assert said.count("\n") == 1


def test_while_a_port_is_held_others_find_the_task():
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    this = task({"ps": [address], "worker": ["b:1"]}, "ps")
    with port.held(this):
        assert reachability.answers(address)
    assert not reachability.answers(address)


def test_without_a_cluster_nothing_of_one_is_imported():
    code = (
        "import sys\nfrom deep_mnist import softmax\n"
        "softmax.main(['--steps', '0'])\n"
        "print([name for name in sys.modules if name.startswith('deep_mnist.distributed')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
