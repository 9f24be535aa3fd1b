"""Reinforcement learning: rollouts, advantages, the policy gradient and the target."""

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adamas.lab.problems import Batch, Params
from adamas.lab.zoo import built_in
from adamas.lab.zoo.cartpole import (
    DISCOUNT,
    EPISODES,
    LIMIT,
    CartPoleTask,
    advantages,
    play,
    right,
    score_gradient,
)
from zoo_training import in_float64, train


def first_batch(seed: int) -> tuple[CartPoleTask, Params, Batch]:
    """Return a task, its start and its first batch."""
    task = CartPoleTask(seed)
    return task, task.start(), next(task.batches())


def test_the_stated_threshold_is_gymnasiums() -> None:
    """The target and the longest episode are what gymnasium registers for CartPole-v1."""
    about = built_in("cartpole").about
    spec = gymnasium.spec("CartPole-v1")
    assert about is not None and about.quality is not None
    assert about.quality.value == spec.reward_threshold
    assert spec.max_episode_steps == LIMIT


def test_an_episode_is_that_of_the_single_cart() -> None:
    """Replaying the actions in gymnasium's plain environment gives the same observations."""
    _, params, batch = first_batch(3)
    rollout = play(params, batch)
    for episode in range(4):
        env = gymnasium.make("CartPole-v1").unwrapped
        env.reset()
        env.state = rollout.observations[0, episode].astype(np.float64)
        steps = int(rollout.returns[episode])
        for step in range(steps):
            seen, _, fallen, _, _ = env.step(int(rollout.actions[step, episode]))
            assert fallen == (step == steps - 1)
            if not fallen:
                expected = rollout.observations[step + 1, episode]
                np.testing.assert_allclose(seen, expected, rtol=1e-4, atol=1e-5)


def test_a_batch_fixes_its_episodes() -> None:
    """The same weights and batch play the same episodes; another batch plays others."""
    task, params, batch = first_batch(3)
    one, other = play(params, batch), play(params, batch)
    assert one.observations.tobytes() == other.observations.tobytes()
    assert one.actions.tobytes() == other.actions.tobytes()
    assert play(params, task.judged).actions.tobytes() != one.actions.tobytes()


@settings(deadline=None)
@given(arrays(np.int64, 4, elements=st.integers(1, 12)))
def test_advantages_in_closed_form(returns: np.ndarray) -> None:
    """With one reward a step the gain after step t of n is (1 - g^(n-t)) / (1 - g).

    Less the mean of those alive, over the root of the mean square; 0 where nobody is alive.
    """
    time = np.arange(returns.max())[:, None]
    alive = time < returns
    gains = np.where(alive, (1 - DISCOUNT ** np.maximum(returns - time, 0)) / (1 - DISCOUNT), 0)
    centred = np.where(alive, gains - gains.sum(1, keepdims=True) / alive.sum(1, keepdims=True), 0)
    scale = np.sqrt((centred[alive] ** 2).mean())
    expected = centred / scale if scale > 1e-9 else np.zeros_like(centred)
    found = advantages(alive)
    if scale > 1e-9:
        np.testing.assert_allclose(found, expected, atol=1e-9)
    assert (found[~alive] == 0).all()


def test_policy_gradient_agrees_with_finite_differences() -> None:
    """For fixed episodes and advantages it is the slope of -mean(advantage * log policy)."""
    _, params, batch = first_batch(5)
    rollout = play(params, batch)
    advantage = advantages(rollout.alive)
    params = in_float64(params)
    grads = {name: np.empty_like(value) for name, value in params.items()}
    unused = {name: np.empty_like(value) for name, value in params.items()}
    score_gradient(params, rollout, advantage, grads)
    rng = np.random.default_rng(7)
    for _ in range(5):
        way = {name: rng.standard_normal(value.shape) for name, value in params.items()}
        ahead, behind = (
            score_gradient(
                {n: v + h * way[n] for n, v in params.items()}, rollout, advantage, unused
            )
            for h in (1e-6, -1e-6)
        )
        slope = sum(float((grads[name] * way[name]).sum()) for name in params)
        assert (ahead - behind) / 2e-6 == pytest.approx(slope, rel=1e-5, abs=1e-9)


@given(st.floats(-1e4, 1e4))
def test_the_policy_is_a_probability(bias: float) -> None:
    """Even a saturated policy gives numbers between 0 and 1, without a warning."""
    params = {
        "W0": np.zeros((4, 1)),
        "b0": np.zeros(1),
        "W1": np.zeros((1, 1)),
        "b1": np.array([bias]),
    }
    p, _ = right(params, np.zeros((3, 4)))
    assert ((p >= 0) & (p <= 1)).all() and p.shape == (3,)


def test_the_loss_is_the_missing_return() -> None:
    """Evaluation is 501 - mean return, and always pushing left falls within a few steps."""
    task, params, _ = first_batch(3)
    left = {name: np.zeros_like(value) for name, value in params.items()}
    left["b1"] -= 100
    assert task.evaluate(left) == pytest.approx(501 - task.extras(left)["mean_return"])
    assert 8 <= task.extras(left)["mean_return"] <= 11
    assert task.extras(left)["worst_return"] >= 7


def test_adam_learns_to_balance() -> None:
    """Adam reaches gymnasium's threshold within 40 updates of 32 episodes."""
    task, params = train(built_in("cartpole"), "adam", 0.1, seed=0)
    found = task.extras(params)
    assert found["mean_return"] >= 475
    assert len(play(params, task.judged).returns) == EPISODES
