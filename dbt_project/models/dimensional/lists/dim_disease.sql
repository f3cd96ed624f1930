-- Grain: one row per disease and spell in which its class, its management and its name stayed the same.
{{ config(unique_key=['disease_code', 'valid_from'], meta={'scope': 'all'}) }}
with listed as (
    select
        disease.disease_code,
        coalesce(disease.valid_from, date '1989-09-01') as valid_from,
        coalesce(disease.valid_to, date '9999-12-31') as valid_to,
        disease.name_zh,
        disease.disease_class,
        disease.parent_code
    from {{ ref('disease') }} as disease
),

managed as (
    select
        management.disease_code,
        coalesce(management.valid_from, date '1989-09-01') as valid_from,
        coalesce(management.valid_to, date '9999-12-31') as valid_to,
        management.managed_as,
        management.name_zh
    from {{ ref('disease_management') }} as management
),

-- A spell begins wherever anything begins or ends.
cut as (
    select
        disease_code,
        valid_from as day
    from listed
    union
    select
        managed.disease_code,
        unnest(array[managed.valid_from, managed.valid_to]) as day
    from managed
),

spell as (
    select
        listed.disease_code,
        listed.name_zh,
        listed.disease_class,
        listed.parent_code,
        cut.day as valid_from,
        lead(cut.day, 1, listed.valid_to) over (
            partition by listed.disease_code, listed.valid_from order by cut.day
        ) as valid_to
    from listed
    inner join cut
        on listed.disease_code = cut.disease_code
            and listed.valid_from <= cut.day
            and listed.valid_to > cut.day
)

select
    spell.disease_code,
    spell.valid_from,
    spell.valid_to,
    coalesce(managed.name_zh, spell.name_zh) as name_zh,
    spell.disease_class,
    spell.parent_code,
    case
        when spell.disease_class = 'total' then 'total'
        when spell.parent_code in ('AB_TOTAL', 'C_TOTAL') then 'disease'
        else 'type'
    end as disease_level,
    spell.disease_class = 'A' or coalesce(managed.managed_as = 'A', false) as is_managed_as_a,
    case
        when spell.disease_class = 'A' or managed.managed_as = 'A' then 2
        when spell.disease_class in ('B', 'C') then 24
    end as report_within_hours,
    icd10.icd10,
    {{ release_columns() }}
from spell
left join managed
    on spell.disease_code = managed.disease_code
        and spell.valid_from >= managed.valid_from
        and spell.valid_from < managed.valid_to
left join {{ ref('disease_icd10') }} as icd10
    on spell.disease_code = icd10.disease_code
