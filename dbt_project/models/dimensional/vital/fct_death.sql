-- Grain: one row per batch of certificates, day of death, township, sex, age band and chapter of the underlying cause.
-- Deaths of children under five, of mothers and of mental illness are told by county, never by township.
{{
    config(
        unique_key=[
            'organization_key', 'report_id', 'death_date', 'township_code', 'sex', 'age_band', 'cause_chapter'
        ],
        indexes=[{'columns': ['death_date', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['death_card'], 'also': 'same_cards', 'card_key': ['card_no']}
    )
}}
{%- set ill_defined = ['R00-R99', 'I46-I46', 'I50-I50', 'J96-J96', 'C76-C76', 'C80-C80', 'C97-C97'] %}
with death as (
    select
        stg.*,
        coalesce({{ icd10_chapter('stg.underlying_cause') }}, '') as cause_chapter
    from {{ ref('stg_raw__death_card') }} as stg
    where {{ in_scope('stg') }}
)

select
    death.organization_key,
    death.region_code,
    death.report_id,
    death.period_type,
    death.period_start,
    death.period_end,
    death.death_time::date as death_date,
    case
        when death.age_band in ('<1', '1-4') or death.cause_chapter in ('V', 'XV') then ''
        else coalesce(death.township_code, '')
    end as township_code,
    coalesce(death.sex, '') as sex,
    coalesce(death.age_band, '') as age_band,
    death.cause_chapter,
    count(*) as deaths,
    count(*) filter (where death.place_of_death = '1') as deaths_in_institution,
    count(*) filter (where {{ icd10_within('death.underlying_cause', ['C00-C97']) }}) as deaths_cancer,
    count(*) filter (where {{ icd10_within('death.underlying_cause', ['I00-I99']) }}) as deaths_circulatory,
    count(*) filter (where {{ icd10_within('death.underlying_cause', ['J30-J98']) }}) as deaths_chronic_respiratory,
    count(*) filter (where {{ icd10_within('death.underlying_cause', ['E10-E14']) }}) as deaths_diabetes,
    count(*) filter (where {{ icd10_within('death.underlying_cause', ill_defined) }}) as deaths_ill_defined,
    {{ release_columns() }}
from death
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
