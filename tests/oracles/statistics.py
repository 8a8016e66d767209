"""Says what scipy and statsmodels make of random numbers.

Prints one JSON object: the seed; `series` of paired values at times, with Kendall's tau-b, Spearman's rho, the Theil-Sen slope with
its interval, what is left without a straight line, and for short ones the exact p of tau-b; `families` of p-values with
Holm's; `shares` with Wilson's interval; `columns` with their variance inflation factors. What is not defined is null.

Runs with the interpreter that Debian's packages python3-scipy and python3-statsmodels belong to.
"""

import json
import math
import random
import warnings
from itertools import permutations

import numpy
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.stats.proportion import proportion_confint

SEED = 20261125
EXACT_UP_TO = 6  # points of which every order is looked at


def number(value):
    value = float(value)
    return value if math.isfinite(value) else None


def tau(x, y):
    return stats.kendalltau(x, y, variant="b").statistic


def exact_p(x, y):
    """The share of all orders with a tau-b that is as far from 0."""
    observed = abs(tau(x, y)) - 1e-9
    orders = list(permutations(y))
    return sum(abs(tau(x, order)) >= observed for order in orders) / len(orders)


def series(draw):
    n = draw.randrange(3, 30)
    # Few values make ties, as answers from 0 to 10 do; many make none.
    values = draw.choice([2, 4, 11, 1000])
    x = [draw.randrange(values) / values for _ in range(n)]
    y = [draw.randrange(draw.choice([2, 11])) for _ in range(n)]
    times = sorted(draw.sample(range(2000), n))
    varies = len(set(x)) > 1 and len(set(y)) > 1
    slope = stats.theilslopes(y, x, 0.95) if len(set(x)) > 1 else None
    line = numpy.polyfit(times, y, 1)
    return {
        "x": x,
        "y": y,
        "times": times,
        "tau_b": number(tau(x, y)) if varies else None,
        "rho": number(stats.spearmanr(x, y).statistic) if varies else None,
        "slope": [number(slope[0]), number(slope[2]), number(slope[3])] if slope else None,
        "detrended": [number(value) for value in numpy.array(y) - numpy.polyval(line, times)],
        "p": exact_p(x, y) if varies and n <= EXACT_UP_TO else None,
    }


def family(draw):
    p = [draw.random() ** draw.choice([1, 3]) for _ in range(draw.randrange(1, 30))]
    return {"p": p, "holm": list(map(number, multipletests(p, method="holm")[1]))}


def share(draw):
    of = draw.randrange(1, 4000)
    hits = draw.randrange(of + 1)
    low, high = proportion_confint(hits, of, alpha=0.05, method="wilson")
    return {"hits": hits, "of": of, "interval": [number(low), number(high)]}


def columns(draw):
    n, k = draw.randrange(12, 40), draw.randrange(2, 7)
    common = numpy.array([draw.random() for _ in range(n)])
    drawn = [draw.random() * common + numpy.array([draw.random() for _ in range(n)]) for _ in range(k)]
    with_constant = numpy.column_stack([numpy.ones(n), *drawn])
    factors = [number(variance_inflation_factor(with_constant, i + 1)) for i in range(k)]
    return {"columns": [list(map(number, column)) for column in drawn], "factors": factors}


def main():
    warnings.simplefilter("ignore")  # of series that do not vary
    draw = random.Random(SEED)
    print(
        json.dumps(
            {
                "seed": SEED,
                "series": [series(draw) for _ in range(400)],
                "families": [family(draw) for _ in range(100)],
                "shares": [share(draw) for _ in range(200)],
                "columns": [columns(draw) for _ in range(60)],
            }
        )
    )


main()
