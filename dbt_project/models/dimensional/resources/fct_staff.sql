-- Grain: one row per institution, year, profession, title, education, age band and sex.
{{
    config(
        unique_key=['organization_key', 'report_id', 'profession_class', 'title_appointed', 'education', 'age_band', 'sex'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['staff_register']}
    )
}}
select
    stg.organization_key,
    organization.organization_version_key,
    organization.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    coalesce(stg.profession_class, '') as profession_class,
    coalesce(stg.title_appointed, '') as title_appointed,
    coalesce(stg.education, '') as education,
    coalesce(stg.age_band, '') as age_band,
    coalesce(stg.sex, '') as sex,
    count(*) filter (where stg.move_type like '1%') as moved_in,
    count(*) filter (where stg.move_type like '2%') as moved_out,
    count(*) filter (where coalesce(stg.move_type, '') not like '2%') as staff,
    count(*) filter (
        where coalesce(stg.move_type, '') not like '2%' and stg.post_type = '1'
    ) as staff_on_establishment,
    count(*) filter (
        where coalesce(stg.move_type, '') not like '2%' and stg.practice_category = '4'
    ) as tcm_practitioners,
    count(*) filter (
        where coalesce(stg.move_type, '') not like '2%' and stg.multi_site
    ) as multi_site_doctors,
    count(*) filter (
        where coalesce(stg.move_type, '') not like '2%' and stg.gp_registered
    ) as gp_registered,
    count(*) filter (
        where coalesce(stg.move_type, '') not like '2%' and stg.gp_cert in ('1', '2', '3', '4')
    ) as gp_certified,
    count(*) filter (
        where coalesce(stg.move_type, '') not like '2%' and stg.village_posting
    ) as posted_to_villages,
    {{ release_columns() }}
from {{ ref('stg_raw__staff_register') }} as stg
{{ organization_at('organization', 'stg.organization_key', 'stg.period_end') }}
where {{ in_scope('stg') }}
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
