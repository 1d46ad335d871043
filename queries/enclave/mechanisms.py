"""OpenDP's mechanisms on 64-bit integers, each built once: two add noise, two select."""

from __future__ import annotations

from functools import lru_cache

import opendp.domains
import opendp.measurements
import opendp.measures
import opendp.metrics
import opendp.mod

from queries.plan.model import Mechanism

opendp.mod.enable_features("contrib")

VECTOR = opendp.domains.vector_domain(opendp.domains.atom_domain(T="i64"))
L1 = opendp.metrics.l1_distance(T="i64")
L2 = opendp.metrics.l2_distance(T="f64")
"""A float metric: a whole-number one would round the root of three up to two."""
LARGEST = {
    one_way: opendp.metrics.linf_distance(T="i64", monotonic=one_way) for one_way in (False, True)
}
LOSSES = {
    Mechanism.EXPONENTIAL: opendp.measures.zero_concentrated_divergence(),
    Mechanism.PERMUTE_AND_FLIP: opendp.measures.max_divergence(),
}


@lru_cache(maxsize=256)
def measurement(mechanism: Mechanism, scale: float) -> opendp.mod.Measurement:
    """OpenDP's own mechanism at that scale, which adds noise to a vector."""
    match mechanism:
        case Mechanism.GAUSSIAN:
            return opendp.measurements.make_gaussian(VECTOR, L2, scale=scale)
        case Mechanism.LAPLACE:
            return opendp.measurements.make_laplace(VECTOR, L1, scale=scale)
    raise ValueError("a selection adds no noise")


@lru_cache(maxsize=256)
def ranker(mechanism: Mechanism, scale: float, most: int) -> opendp.mod.Measurement:
    """OpenDP's selection of so many largest scores, one after the other, all moving one way."""
    return opendp.measurements.make_noisy_top_k(
        VECTOR, LARGEST[True], LOSSES[mechanism], k=most, scale=scale
    )


@lru_cache(maxsize=256)
def selector(mechanism: Mechanism, scale: float, *, one_way: bool) -> opendp.mod.Measurement:
    """OpenDP's selection of the largest score; `one_way` where a unit's rows move all up."""
    return opendp.measurements.make_noisy_max(
        VECTOR, LARGEST[one_way], LOSSES[mechanism], scale=scale
    )
