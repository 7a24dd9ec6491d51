"""Training on several processes or machines: `python -m deep_mnist.distributed PROGRAM ...`.

Uses TensorFlow 1's own runtime: a tf.train.Server in every task, and the tutorials' `train` with
another Run. Modules, in reading order:

    __main__.py, launch.py        from the command line to a task's run
    task.py                       which task of which cluster this process is
    cluster_spec.py               TF_CONFIG, --cluster and --task
    worker.py, chief.py           the runs of the tasks that train
    evaluator.py                  a run that evaluates the chief's checkpoints
    parameter_server.py           a task that keeps the variables
    parameter_server_strategy.py  where variables are, and how gradients are combined
    parameter_server_session.py   the session that goes with it
    all_reduce.py                 the same without parameter servers
    session.py, timeouts.py       what both sessions have in common; calls that may never return
    mailbox.py                    messages between tasks
    chief_failure.py              the chief's error, which ends the other tasks
    config_check.py, sharding.py  what tasks must agree on; what each has of its own
    server.py, reachability.py    ports
    local_cluster.py              all processes on this machine
"""
