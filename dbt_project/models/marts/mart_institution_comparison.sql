-- Grain: one row per institution, indicator and period, with its place among those of its kind.
{{
    config(
        unique_key=['organization_code', 'indicator_code', 'period_type', 'period_start'],
        indexes=[{'columns': ['period_start', 'period_type']}],
        meta={'scope': 'period'}
    )
}}
with compared as (
    select
        fct.subject_code as organization_code,
        unit.name_zh as organization_name_zh,
        fct.region_code,
        left(fct.region_code, 4) as prefecture,
        -- Its kind: the class of the directory, and for hospitals the level that was assessed.
        unit.class_group,
        case when unit.class_group = 'hospital' then coalesce(unit.level, '9') else left(unit.class_code, 2) end
            as peer_class,
        fct.indicator_code,
        indicator.name_zh,
        indicator.unit,
        fct.period_type,
        fct.period_start,
        fct.period_end,
        fct.numerator,
        fct.denominator,
        fct.value
    from {{ at_candidate(ref('fct_indicator')) }} as fct
    inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
        on fct.indicator_code = indicator.indicator_code
            and indicator.domain in (
                'hospital_services', 'resources_beds', 'resources_staff', 'finance', 'primary_care'
            )
    {{ organization_at('unit', 'fct.organization_key', 'fct.period_end') }}
    where fct.subject_type = 'organization' and fct.status = 'computed' and {{ in_scope('fct') }}
)

select
    compared.organization_code,
    compared.organization_name_zh,
    compared.region_code,
    compared.class_group,
    compared.peer_class,
    compared.indicator_code,
    compared.name_zh,
    compared.unit,
    compared.period_type,
    compared.period_start,
    compared.period_end,
    compared.numerator,
    compared.denominator,
    compared.value,
    count(*) over peers as peers,
    rank() over (peers order by compared.value desc) as rank_from_highest,
    trim_scale(round((percent_rank() over (peers order by compared.value))::numeric, 4)) as share_of_peers_below,
    trim_scale(round(
        case when compared.denominator is null then null else sum(compared.numerator) over peers end
        * max(indicator.scale) over peers / nullif(sum(compared.denominator) over peers, 0), 8
    )) as value_of_peers,
    case
        when compared.indicator_code <> 'bed_occupancy_rate' then null
        when compared.value > 93 then 'above_93'
        when compared.value < 60 then 'below_60'
    end as bed_use_alert,
    {{ release_columns() }}
from compared
inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
    on compared.indicator_code = indicator.indicator_code
window peers as (
    partition by
        compared.prefecture, compared.class_group, compared.peer_class, compared.indicator_code, compared.period_type,
        compared.period_start
)
