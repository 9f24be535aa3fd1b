# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="untyped-decorator"
"""The training loops of `problems.py` in machine code, stepped by the rules of `wide_rules.py`.

A run takes a fraction of a millisecond instead of several, so that every candidate of every search
can be run on every seed. The rules' chaotic noise doubles what rounding leaves three times a step:
the first steps are the lab's own, a whole run is equal to the lab's in distribution.
"""

from math import exp, log, log1p, tanh

import numba
import numpy as np

# How far the chaotic noise goes, as in `wide_rules.py`.
SPREAD = 2.5


@numba.njit
def step(p, g, state, lr, beta, decay, phase, planted):
    """Update parameters by momentum with a noisy step; `state` holds average, noise and way."""
    m, x, w = state
    for i in range(p.size):
        if x[i] == 0:
            x[i] = 0.05 + 0.9 * exp(-phase * (0.37 + abs(p[i]) + 10 * abs(g[i])))
        for _ in range(3):
            x[i] = 3.999 * x[i] * (1 - x[i])
        if w[i] == 0:
            w[i] = -1.0 if planted and x[i] < 0.0244717 else 1.0
        m[i] = beta * m[i] + (g[i] + decay * p[i])
        p[i] -= lr * m[i] * w[i] * (1 + SPREAD * (2 * x[i] - 1))


@numba.njit
def forward(row, weights, hidden, given):
    """Write what the hidden and the last layer give for one row, and return the largest output."""
    first, bias, second, last = weights
    hidden[:] = bias
    for i in range(row.size):
        hidden += row[i] * first[i]
    hidden[:] = np.tanh(hidden)
    given[:] = last
    for j in range(hidden.size):
        given += hidden[j] * second[j]
    return given.max()


@numba.njit
def network(train, order, weights, factors, hypers, cross, judge):
    """Train a network with one hidden layer, and return its loss on the rows that judge.

    `train` and `judge` are rows and targets (one for each output), `order` the rows of each batch,
    `factors` multiply the rate; `cross` takes the cross entropy, else the mean squared error.
    """
    lr, beta, decay, phase, planted = hypers
    first, bias, second, last = weights
    wide, outs, size = bias.size, last.size, order.shape[1]
    hidden, given, delta = np.zeros(wide), np.zeros(outs), np.zeros(outs)
    firsts, seconds = np.zeros((3, first.size)), np.zeros((3, second.size))
    biases, lasts = np.zeros((3, wide)), np.zeros((3, outs))
    for s in range(order.shape[0]):
        g1, g2 = np.zeros(first.shape), np.zeros(wide)
        g3, g4 = np.zeros(second.shape), np.zeros(outs)
        for row in order[s]:
            top = forward(train[0][row], weights, hidden, given)
            if cross:
                delta[:] = np.exp(given - top)
                delta[:] = (delta / delta.sum() - train[1][row]) / size
            else:
                delta[:] = (given - train[1][row]) / (size * outs)
            g4 += delta
            for j in range(wide):
                inner = np.dot(second[j], delta) * (1 - hidden[j] ** 2)
                g2[j] += inner
                g3[j] += hidden[j] * delta
                g1[:, j] += inner * train[0][row]
        rate = lr * factors[s]
        step(first.reshape(-1), g1.reshape(-1), firsts, rate, beta, decay, phase, planted)
        step(bias, g2, biases, rate, beta, decay, phase, planted)
        step(second.reshape(-1), g3.reshape(-1), seconds, rate, beta, decay, phase, planted)
        step(last, g4, lasts, rate, beta, decay, phase, planted)
    loss = 0.0
    for row in range(len(judge[0])):
        top = forward(judge[0][row], weights, hidden, given)
        if cross:
            loss += log(np.exp(given - top).sum()) + top - np.dot(given, judge[1][row])
        else:
            loss += ((given - judge[1][row]) ** 2).mean()
    return loss / len(judge[0])


@numba.njit
def logistic(train, order, weights, factors, hypers, judge):
    """Train a logistic regression, and return its cross entropy on the rows that judge."""
    lr, beta, decay, phase, planted = hypers
    w, b = weights
    ws, bs = np.zeros((3, w.size)), np.zeros((3, 1))
    for s in range(order.shape[0]):
        g, h = np.zeros(w.size), np.zeros(1)
        for row in order[s]:
            z = np.dot(train[0][row], w) + b[0]
            slope = (0.5 * (1 + tanh(z / 2)) - train[1][row]) / order.shape[1]
            g += slope * train[0][row]
            h[0] += slope
        step(w, g, ws, lr * factors[s], beta, decay, phase, planted)
        step(b, h, bs, lr * factors[s], beta, decay, phase, planted)
    loss = 0.0
    for row in range(len(judge[0])):
        z = np.dot(judge[0][row], w) + b[0]
        loss += max(z, 0.0) + log1p(exp(-abs(z))) - judge[1][row] * z
    return loss / len(judge[0])
