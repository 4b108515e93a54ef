"""statsmodels_mediation.py FILE REPLICATES: statsmodels' Mediation, bootstrap."""
import sys
import time

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.stats.mediation import Mediation

data = pd.read_csv(sys.argv[1])
start = time.perf_counter()
np.random.seed(1)
outcome = sm.OLS.from_formula("outcome ~ adherence + alliance + baseline + treatment", data)
mediator = sm.OLS.from_formula("adherence ~ alliance + baseline + treatment", data)
result = Mediation(outcome, mediator, "alliance", "adherence").fit(method="bootstrap", n_rep=int(sys.argv[2]))
ends = np.quantile(np.asarray(result.ACME_avg), [0.025, 0.975])
print("compute", time.perf_counter() - start)
print("ci", *ends)
