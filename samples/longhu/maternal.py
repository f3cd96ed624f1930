"""The district's maternal-care table for the maternal-child year 2015 (October 2014 to September 2015).

Printed in the plan: 7,036 women in systematic management, 7,811 HIV and syphilis and 7,814 hepatitis B
tests, no maternal death, and four rates. 7,196 live births are the only whole number that 7,036 at
97.77 % allows, and only when the rate is cut off after two places (97.7765 %); the other three rates
follow from it in the same way. Everything else is invented.
"""

from collections.abc import Mapping
from types import MappingProxyType

from samples.longhu.units import REGION, REGION_NAME

MCH_YEAR = 2015
NOT_CARRIED_OUT = -2

VALUES: Mapping[str, int | str] = MappingProxyType(
    {
        "region_code": REGION,
        "region_name": REGION_NAME,
        "mch_year": MCH_YEAR,
        "residence_class": "户籍",
        "live_births": 7_196,
        "live_births_male": 3_699,
        "live_births_female": 3_497,
        "live_births_sex_unknown": 0,
        "live_births_agri": 2_184,
        "women_delivered": 7_148,
        "women_nonagri": 4_979,
        "women_agri": 2_169,
        "women_registered": 7_131,
        "women_antenatal_checked": 7_126,
        "women_antenatal_5plus": 7_071,
        "women_early_checked": 7_058,
        "women_hb_tested": 7_104,
        "women_hb_lt100": 861,
        "women_hb_lt80": 37,
        "pmtct_hiv_tested": 7_811,
        "pmtct_hiv_infected": 2,
        "pmtct_syphilis_tested": 7_811,
        "pmtct_syphilis_infected": 21,
        "pmtct_hbv_tested": 7_814,
        "pmtct_hbv_positive": 702,
        "prenatal_screened": 4_655,
        "prenatal_screen_highrisk": 233,
        # No unit of the district is licensed for prenatal diagnosis.
        "prenatal_diagnosed": NOT_CARRIED_OUT,
        "prenatal_confirmed": NOT_CARRIED_OUT,
        "women_postnatal_visited": 7_049,
        "women_systematic_managed": 7_036,
        "live_births_in_hospital": 7_193,
        "caesarean_live_births": 2_381,
        "nonhospital_clean_delivery": 2,
        "highrisk_women": 1_207,
        "highrisk_managed": 1_205,
        "highrisk_hospital_delivery": 1_207,
        "maternal_deaths": 0,
        "maternal_deaths_haemorrhage": 0,
        "maternal_deaths_hypertension": 0,
        "maternal_deaths_medical": 0,
        "maternal_deaths_embolism": 0,
        "maternal_deaths_other": 0,
        "maternal_mortality": 0,
        "low_birth_weight": 288,
        "macrosomia": 331,
        "preterm": 352,
        "stillbirths": 29,
        "early_neonatal_deaths": 9,
        "early_neonatal_deaths_male": 5,
        "early_neonatal_deaths_female": 4,
        "early_neonatal_deaths_sex_unknown": 0,
        "neonatal_tetanus_cases": 0,
    }
)
