"""mediation.py FILE REPLICATES: vectorised numpy. Counts of drawn rows times products of columns, then batched solves."""
import sys
import time

import numpy as np

data = np.genfromtxt(sys.argv[1], delimiter=",", names=True)
n_replicates = int(sys.argv[2])
columns = [np.ones(len(data))] + [data[name] for name in ("baseline", "treatment", "alliance", "adherence", "outcome")]
start = time.perf_counter()
Z = np.column_stack([columns[0]] + [c - c.mean() for c in columns[1:]])
n, q = Z.shape
upper = np.triu_indices(q)
products = Z[:, upper[0]] * Z[:, upper[1]]
rng = np.random.default_rng(1)
indirect = np.empty(n_replicates)
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
    a = np.linalg.solve(S[:, :4, :4], S[:, :4, 4:5])[:, 3, 0]
    b = np.linalg.solve(S[:, :5, :5], S[:, :5, 5:6])[:, 4, 0]
    indirect[first : first + some] = a * b
ends = np.quantile(indirect, [0.025, 0.975])
print("compute", time.perf_counter() - start)
print("ci", *ends)
