"""tf.contrib.slim: its training loop and its short names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.legacy.tf1 import contrib_losses, contrib_metrics

__all__ = ["evaluation", "learning", "losses", "metrics", "ops"]

losses = SimpleNamespace(
    **{name: getattr(contrib_losses, name) for name in contrib_losses.__all__},
    add_loss=tf.losses.add_loss,
    get_losses=tf.losses.get_losses,
    get_regularization_losses=tf.losses.get_regularization_losses,
    get_total_loss=tf.losses.get_total_loss,
)
metrics = SimpleNamespace(
    **{name: getattr(contrib_metrics, name) for name in contrib_metrics.__all__}
)
ops = SimpleNamespace()


def _create_train_op(
    total_loss: Any,
    optimizer: Any,
    global_step: Any = True,
    update_ops: Any = None,
    variables_to_train: Any = None,
    clip_gradient_norm: float = 0,
    **unused: Any,
) -> Any:
    """The op of one step, UPDATE_OPS before it; its value is the loss."""
    if global_step is True:
        global_step = tf.train.get_or_create_global_step()
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS) if update_ops is None else update_ops
    with tf.control_dependencies(updates):
        total_loss = tf.identity(total_loss)
    pairs = optimizer.compute_gradients(total_loss, variables_to_train)
    if clip_gradient_norm > 0:
        pairs = [(tf.clip_by_norm(g, clip_gradient_norm), v) for g, v in pairs if g is not None]
    with tf.control_dependencies([optimizer.apply_gradients(pairs, global_step)]):
        return tf.identity(total_loss, name="train_op")


def _train(
    train_op: Any,
    logdir: Any,
    number_of_steps: Any = None,
    log_every_n_steps: int = 1,
    save_summaries_secs: int = 600,
    save_interval_secs: int = 600,
    init_fn: Any = None,
    init_op: Any = None,
    summary_op: Any = None,
    saver: Any = None,
    session_config: Any = None,
    **unused: Any,
) -> Any:
    """Runs train_op until number_of_steps; checkpoints and summaries go to logdir."""
    supervisor = tf.train.Supervisor(
        logdir=logdir,
        save_summaries_secs=save_summaries_secs,
        save_model_secs=save_interval_secs,
        init_fn=init_fn,
        **({} if init_op is None else {"init_op": init_op}),
        **({} if saver is None else {"saver": saver}),
    )
    loss, step = None, 0
    with supervisor.managed_session(config=session_config) as session:
        while not supervisor.should_stop() and (number_of_steps is None or step < number_of_steps):
            loss, step = session.run([train_op, supervisor.global_step])
            if log_every_n_steps and step % log_every_n_steps == 0:
                tf.logging.info("global step %d: loss = %.4f", step, loss)
        if logdir is not None and supervisor.saver is not None:
            supervisor.saver.save(session, supervisor.save_path, global_step=step)
    return loss


def _evaluate_once(
    master: str,
    checkpoint_path: str,
    logdir: str,
    num_evals: int = 1,
    eval_op: Any = None,
    final_op: Any = None,
    **unused: Any,
) -> Any:
    """Restores a checkpoint, runs eval_op num_evals times and returns final_op's value."""
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        tf.train.Saver(tf.global_variables()).restore(session, checkpoint_path)
        threads = tf.train.start_queue_runners(session)
        for _ in range(num_evals):
            if eval_op is not None:
                session.run(eval_op)
        value = None if final_op is None else session.run(final_op)
        del threads
        return value


learning = SimpleNamespace(create_train_op=_create_train_op, train=_train)
evaluation = SimpleNamespace(evaluate_once=_evaluate_once)
