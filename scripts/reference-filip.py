"""The exact least squares of NIST's Filip with its powers rounded to doubles, by rational arithmetic.

The certified values belong to the decimal data. What a solver in doubles is given are powers rounded to 53 bits, whose
exact solution keeps 7.6 digits of the certified one; tests/models/test_nist.c holds the library to this one too.
Run from the top of the source tree: python3 scripts/reference-filip.py
"""
import csv
import decimal
from fractions import Fraction


def solve(rows, response):
    p = len(rows[0])
    system = [[sum(r[i] * r[j] for r in rows) for j in range(p)] + [sum(r[i] * y for r, y in zip(rows, response))]
              + [Fraction(i == j) for j in range(p)] for i in range(p)]
    for i in range(p):
        system[i] = [value / system[i][i] for value in system[i]]
        for k in range(p):
            if k != i:
                factor = system[k][i]
                system[k] = [a - factor * b for a, b in zip(system[k], system[i])]
    return [row[p] for row in system], [system[i][p + 1 + i] for i in range(p)]


def root(value):
    with decimal.localcontext() as context:
        context.prec = 40
        return float((decimal.Decimal(value.numerator) / decimal.Decimal(value.denominator)).sqrt())


with open("datasets/nist_strd/regression/Filip.csv") as file:
    data = [(Fraction(float(row["y"])), Fraction(float(row["x"]))) for row in csv.DictReader(file)]
response = [y for y, _ in data]
rows = [[Fraction(float(x ** k)) for k in range(11)] for _, x in data]
estimates, inverse = solve(rows, response)
squares = sum((y - sum(b * v for b, v in zip(estimates, row))) ** 2 for y, row in zip(response, rows))
variance = squares / (len(rows) - 11)
print("estimates      ", ", ".join(repr(float(b)) for b in estimates))
print("standard errors", ", ".join(repr(root(v * variance)) for v in inverse))
print("residual SD    ", repr(root(variance)))
