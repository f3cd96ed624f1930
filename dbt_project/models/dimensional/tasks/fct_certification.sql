-- Grain: one row per certificate.
{{
    config(
        unique_key=['organization_key', 'report_id', 'record_no'],
        indexes=[{'columns': ['cert_type', 'certified_code']}, {'columns': ['report_id']}],
        meta={
            'scope': 'report', 'forms': ['certification_register'],
            'also': 'same_cards', 'card_key': ['subject_code', 'cert_type']
        }
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.record_no,
    stg.certified_type,
    stg.certified_code,
    stg.cert_type,
    stg.cert_level,
    stg.document_no,
    coalesce(stg.revoked, false) as is_revoked,
    stg.valid_from as in_force_from,
    least(
        stg.valid_to + 1,
        case
            when stg.revoked
                then greatest((stg.received_at at time zone '{{ local_timezone() }}')::date, stg.valid_from)
        end,
        renewed.valid_from,
        date '9999-12-31'
    ) as in_force_to,
    stg.population_benefit,
    stg.source_sheet,
    stg.source_row,
    {{ release_columns() }}
from {{ ref('stg_raw__certification_register') }} as stg
left join lateral (
    select min(later.valid_from) as valid_from
    from {{ ref('stg_raw__certification_register') }} as later
    where stg.certified_code = later.certified_code
        and stg.cert_type = later.cert_type
        and stg.valid_from < later.valid_from
) as renewed on true
where {{ in_scope('stg') }}
