# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules that step along a whole matrix whose singular values were made equal.

They are for the matrices of hidden layers, with outputs as rows: of a convolution the first
dimension is against the rest. Embeddings, the last layer, biases and gains want another rule.
"""

from adamas.words import maximum, mean, norm, orthogonalize, sqrt

__all__ = [
    "muon",
    "normuon",
    "adamuon",
]


def muon(p, g, m, *, rows, columns, lr=0.02, beta=0.95, weight_decay=0.0):
    """Muon steps along the momentum with all its singular values made equal.

    Jordan et al. 2024, section 1 and the authors' code: a damped momentum, looking ahead as
    `nesterov` does, five Newton-Schulz steps, and a longer step for matrices taller than wide. So
    `torch.optim.Muon` with its "original" scale, whose lr=1e-3 is 20 times smaller.
    """
    m = beta * m + (1 - beta) * g
    o = orthogonalize(beta * m + (1 - beta) * g)
    p = (1 - lr * weight_decay) * p
    p = p - lr * sqrt(maximum(1, rows / columns)) * o
    return p, m


def normuon(
    p, g, m, v, *, rows, columns, lr=1e-3, beta1=0.95, beta2=0.95, eps=1e-8, weight_decay=0.1
):
    """NorMuon gives every row of Muon's step the same length over time.

    Li et al. 2025, Algorithm 1: `v` is one number a row, and the step is scaled to a root mean
    square of 0.2 lr, near AdamW's. The authors' speed runs and pytorch_optimizer's default keep
    the norm of the orthogonal matrix instead, and look ahead.
    """
    m = beta1 * m + (1 - beta1) * g
    o = orthogonalize(m)
    v = beta2 * v + (1 - beta2) * mean(o * o, over="row")
    u = o / (sqrt(v) + eps)
    p = (1 - lr * weight_decay) * p
    p = p - lr * 0.2 * sqrt(rows * columns) / maximum(norm(u), eps) * u
    return p, m, v


def adamuon(
    p, g, m, v, *, rows, columns, lr=1e-3, beta1=0.95, beta2=0.95, eps=1e-8, weight_decay=0.1
):
    """AdaMuon divides each coordinate of Muon's step by its root mean square over time.

    Si, Zhang & Shen 2025, Algorithm 1, on the momentum as in timm, where the last version has its
    sign; the step has a root mean square of 0.2 lr, in which a bias correction would cancel.
    """
    m = beta1 * m + (1 - beta1) * g
    o = orthogonalize(m)
    v = beta2 * v + (1 - beta2) * o * o
    u = o / (sqrt(v) + eps)
    p = (1 - lr * weight_decay) * p
    p = p - lr * 0.2 * sqrt(rows * columns) / maximum(norm(u), eps) * u
    return p, m, v
