"""bootstrap.py FILE REPLICATES mediation|regression|clusters: vectorised numpy.

Counts of drawn rows, or therapists, times products of columns, then batched solves: of the indirect effect, or of slopes.
"""
import sys
import time

import numpy as np

ORDERS = {
    "mediation": ("baseline", "treatment", "alliance", "adherence", "outcome"),
    "regression": ("alliance", "adherence", "baseline", "treatment", "outcome"),
    "clusters": ("alliance", "adherence", "baseline", "treatment", "outcome"),
}


def solve(S, k, j):
    """The regressions of column j on the k before it."""
    return np.linalg.solve(S[:, :k, :k], S[:, :k, j : j + 1])[:, :, 0]


def statistic(S, task):
    if task == "mediation":
        return solve(S, 4, 4)[:, 3:] * solve(S, 5, 5)[:, 4:]
    return solve(S, 5, 5)[:, 1:]


data = np.genfromtxt(sys.argv[1], delimiter=",", names=True)
n_replicates, task = int(sys.argv[2]), sys.argv[3]
start = time.perf_counter()
Z = np.column_stack([np.ones(len(data))] + [data[name] - data[name].mean() for name in ORDERS[task]])
n, q = Z.shape
upper = np.triu_indices(q)
products = Z[:, upper[0]] * Z[:, upper[1]]
if task == "clusters":
    levels, codes = np.unique(data["therapist"], return_inverse=True)
    n = len(levels)
    products = np.column_stack([np.bincount(codes, weights=column, minlength=n) for column in products.T])
rng = np.random.default_rng(1)
values = []
chunk = max(1, min(n_replicates, 2_000_000 // n))
for first in range(0, n_replicates, chunk):
    some = min(chunk, n_replicates - first)
    rows = rng.integers(0, n, (some, n), dtype=np.int32)
    rows += (np.arange(some, dtype=np.int32) * n)[:, None]
    counts = np.bincount(rows.ravel(), minlength=some * n).reshape(some, n)
    S = np.empty((some, q, q))
    moments = counts.astype(float) @ products
    S[:, upper[0], upper[1]] = moments
    S[:, upper[1], upper[0]] = moments
    values.append(statistic(S, task))
ends = np.quantile(np.concatenate(values)[:, 0], [0.025, 0.975])
print("compute", time.perf_counter() - start)
print("ci", *ends)
