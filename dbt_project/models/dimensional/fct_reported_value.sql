-- Grain: one row per report, field and breakdown: every number of every aggregate form.
{{
    config(
        unique_key=['organization_key', 'report_id', 'field_code', 'breakdown'],
        indexes=[{'columns': ['form_code', 'field_code', 'period_start']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'not_compared': ['revision_id', 'source_sheet', 'source_cell']}
    )
}}
-- depends_on: {{ ref('stg_registry__report') }}
with reported as (
    {{ reported_values() }}
)

select
    reported.organization_key,
    reported.report_id,
    reported.form_code,
    reported.field_code,
    reported.breakdown,
    reported.subject_type,
    reported.subject_code,
    coalesce(reported.region_code, organization.region_code) as region_code,
    reported.period_type,
    reported.period_start,
    reported.period_end,
    reported.value,
    reported.null_reason,
    reported.revision_id,
    reported.source_sheet,
    registry.cell_name(
        coalesce(reported.source_row + place.source_row, reported.source_row, place.source_row),
        coalesce(reported.source_column + place.source_column, reported.source_column, place.source_column)
    ) as source_cell,
    {{ release_columns() }}
from reported
left join {{ at_candidate(ref('dim_organization')) }} as organization
    on reported.organization_key = organization.organization_key
        and reported.subject_type = 'organization'
        and reported.period_end >= organization.applies_from
        and reported.period_end < organization.valid_to
left join {{ source('registry', 'field_position') }} as place
    on reported.arrival_id = place.arrival_id
        and reported.source_sheet = place.sheet
        and reported.field_code = place.field_code
