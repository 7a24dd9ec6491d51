"""Training by several processes, on one machine or more; imported only where that is asked for.

Read in this order:

    task.py              which task of which cluster this process is, and how they train together
    addresses.py         JOB=HOST:PORT,... and TF_CONFIG as tables of addresses
    start.py             from a command line to the life of a task
    restart.py           the run that a task which was restarted belongs to
    terms.py             what all tasks must agree on
    preflight.py         which tasks answer
    port.py              this task's own port
    server.py            TensorFlow's server on it
    patience.py          calls that may never return
    session.py           a training.Session whose calls end, and whose variables begin together
    between_graphs.py    variables on parameter servers: asynchronous, or SyncReplicasOptimizer
    shared_session.py    the session of a worker of theirs
    all_reduce.py        variables on every worker: MultiWorkerMirroredStrategy, and its session
    signals.py           words between tasks, in queues on the parameter servers
    worker.py            a run of a worker: steps alone
    chief.py             the chief's run: steps, reports, checkpoints, the result
    parameter_server.py  a parameter server's life
    evaluator.py         a run that evaluates the checkpoints of another
    local.py             all the processes of a cluster on this machine
    local_task.py        one of them, which ends with who started it
"""
