"""The maternal table: what it asks about the mothers of so many live births."""

import numpy as np
import polars as pl

from samples.generator.draws import Generator, part, split
from samples.generator.reports import Reports
from samples.generator.seasons import Ints


def mothers_of(rng: Generator, born: Ints) -> dict[str, Ints]:
    """The maternal table of live births: everything that the form asks about their mothers."""
    girls = part(rng, born, 0.475, 0.012)
    women = np.rint(born * 0.988).astype(np.int64)
    stillborn = np.rint(born * 0.004).astype(np.int64) + 1
    urban = part(rng, women, 0.58, 0.02)
    checked = part(rng, women, 0.991, 0.001)
    early = part(rng, checked, 0.972, 0.002)
    five = part(rng, checked, 0.976, 0.002)
    visited = part(rng, women, 0.975, 0.002)
    in_hospital = born - rng.binomial(born, 0.0006)
    managed = part(rng, np.minimum.reduce([early, five, visited, in_hospital]), 0.985, 0.003)
    hb = part(rng, women, 0.985, 0.003)
    pale = part(rng, hb, 0.12, 0.05)
    risky = part(rng, women, 0.24, 0.04)
    looked_after = part(rng, risky, 0.997, 0.001)
    screened = part(rng, women, 0.80, 0.03)
    tested = part(rng, women, 0.996, 0.001)
    early_deaths = {sex: rng.poisson(born * 0.0004) for sex in ("male", "female")}
    deaths = rng.binomial(born, 0.00006)
    causes = split(deaths, np.broadcast_to([0.3, 0.2, 0.2, 0.1, 0.2], (*deaths.shape, 5)))
    return {
        "live_births": born,
        "live_births_male": born - girls,
        "live_births_female": girls,
        "women_delivered": women,
        "women_nonagri": urban,
        "women_agri": women - urban,
        "women_registered": part(rng, women, 0.993, 0.001),
        "women_antenatal_checked": checked,
        "women_antenatal_5plus": five,
        "women_early_checked": early,
        "women_hb_tested": hb,
        "women_hb_lt100": pale,
        "women_hb_lt80": part(rng, pale, 0.05, 0.1),
        "pmtct_hiv_tested": tested,
        "pmtct_hiv_infected": rng.binomial(tested, 0.0002),
        "pmtct_syphilis_tested": tested,
        "pmtct_syphilis_infected": rng.binomial(tested, 0.002),
        "pmtct_hbv_tested": tested,
        "pmtct_hbv_positive": part(rng, tested, 0.055, 0.05),
        "prenatal_screened": screened,
        "prenatal_screen_highrisk": part(rng, screened, 0.05, 0.05),
        "women_postnatal_visited": visited,
        "women_systematic_managed": managed,
        "live_births_in_hospital": in_hospital,
        "caesarean_live_births": part(rng, in_hospital, 0.41, 0.03),
        "nonhospital_clean_delivery": np.zeros_like(born),
        "highrisk_women": risky,
        "highrisk_managed": looked_after,
        "highrisk_hospital_delivery": risky,
        "maternal_deaths": deaths,
        "maternal_deaths_haemorrhage": causes[..., 0],
        "maternal_deaths_hypertension": causes[..., 1],
        "maternal_deaths_medical": causes[..., 2],
        "maternal_deaths_embolism": causes[..., 3],
        "maternal_deaths_other": causes[..., 4],
        "low_birth_weight": part(rng, born, 0.044, 0.05),
        "macrosomia": part(rng, born, 0.058, 0.05),
        "preterm": part(rng, born, 0.056, 0.05),
        "stillbirths": stillborn,
        "early_neonatal_deaths": early_deaths["male"] + early_deaths["female"],
        "early_neonatal_deaths_male": early_deaths["male"],
        "early_neonatal_deaths_female": early_deaths["female"],
        "neonatal_tetanus_cases": np.zeros_like(born),
    }


def with_mortality(reports: Reports) -> Reports:
    """The annual table prints the mortality ratio, too."""
    ratio = (pl.col("maternal_deaths") / pl.col("live_births") * 100_000).round(2)
    return Reports(reports.form, reports.frame.with_columns(maternal_mortality=ratio))
