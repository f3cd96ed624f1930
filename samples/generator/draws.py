"""Random numbers that depend on the seed and on their purpose alone, and counts drawn with them."""

import zlib

import numpy as np

from samples.generator.seasons import Floats, Ints

Generator = np.random.Generator


def stream(seed: int, purpose: str) -> Generator:
    """A generator of its own for each purpose: what is added elsewhere moves no other number."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def counts(rng: Generator, expected: Floats, spread: float = 0.03) -> Ints:
    """Counts around their expectation: a relative ``spread``, and half a Poisson's noise for small ones."""
    wide = expected * np.exp(spread * rng.standard_normal(expected.shape))
    noise = 0.5 * np.sqrt(np.maximum(expected, 0)) * rng.standard_normal(expected.shape)
    return np.maximum(0, np.rint(wide + noise)).astype(np.int64)


def part(rng: Generator, whole: Ints, share: float | Floats, spread: float = 0.03) -> Ints:
    """A part of counts, never more than the whole and never negative."""
    drawn = whole * share * np.exp(spread * rng.standard_normal(whole.shape))
    return np.asarray(np.clip(np.rint(drawn), 0, whole), dtype=np.int64)


def split(total: Ints, weights: Floats) -> Ints:
    """Totals split over the last axis in proportion to ``weights``; the parts add up exactly.

    ``total`` has the shape of ``weights`` without its last axis. Largest remainder.
    """
    shares = weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1e-12)
    exact = np.asarray(total)[..., None] * shares
    whole = np.floor(exact).astype(np.int64)
    missing = np.asarray(total) - whole.sum(axis=-1)
    order = np.argsort(np.argsort(-(exact - whole), axis=-1, kind="stable"), axis=-1)
    return np.asarray(whole + (order < missing[..., None]), dtype=np.int64)
