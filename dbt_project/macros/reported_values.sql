{#-
    Every number of every form, as rows: one select a form that has changes in scope.

    The forms and their fields come from the registry, so that a form added by YAML alone needs no SQL here. A blank
    cell gives no row; a cell that says why it is empty gives a row without a value and with the reason.
-#}
{% macro reported_values() -%}
    {%- set forms = reported_forms() -%}
    {%- for form in forms %}
    select
        report.organization_key,
        report.report_id,
        report.form_code,
        cell.field_code,
        {{ form.breakdown }} as breakdown,
        report.subject_type,
        report.subject_code,
        report.region_code,
        report.period_type,
        report.period_start,
        report.period_end,
        cell.value,
        form.null_reasons ->> cell.field_code as null_reason,
        report.revision_id,
        report.arrival_id,
        form.source_sheet,
        form.source_row,
        form.source_column
    from {{ ref('stg_registry__report') }} as report
    inner join raw.{{ adapter.quote(form.code) }} as form on report.revision_id = form.revision_id
    cross join lateral (
        values
        {%- for field in form.fields %}
        ('{{ field.code }}', (form.{{ adapter.quote(field.code) }} * {{ unit_factor(field.source_unit, field.unit) }})::numeric)
        {{- ',' if not loop.last }}
        {%- endfor %}
    ) as cell (field_code, value)
    where report.form_code = '{{ form.code }}'
        and {{ in_scope('report') }}
        and (cell.value is not null or form.null_reasons ->> cell.field_code is not null)
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        0 as organization_key,
        0::bigint as report_id,
        '' as form_code,
        '' as field_code,
        '' as breakdown,
        '' as subject_type,
        '' as subject_code,
        '' as region_code,
        '' as period_type,
        null::date as period_start,
        null::date as period_end,
        null::numeric as value,
        '' as null_reason,
        null::bigint as revision_id,
        null::bigint as arrival_id,
        '' as source_sheet,
        null::int as source_row,
        null::int as source_column
    where false
    {%- endfor %}
{%- endmacro %}

{#- Forms with changes in scope: [{code, breakdown (SQL), fields: [{code, unit, source_unit}]}]. -#}
{% macro reported_forms() -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set fields = run_query(
        "select field.form_code, field.field_code, field.role, field.unit, field.source_unit"
        ~ " from " ~ source('registry', 'form_field') ~ " as field"
        ~ " where field.role in ('measure', 'breakdown') and to_regclass(format('raw.%I', field.form_code)) is not null"
        ~ " and exists (select from " ~ source('registry', 'form') ~ " as form"
        ~ " where form.form_code = field.form_code and form.period_type <> 'event')"
        ~ (" and field.form_code in (" ~ candidate_changes('r.form_code', none) ~ ")" if is_incremental() else "")
        ~ " order by field.form_code, field.ordinal"
    ).rows -%}
    {%- set forms = {} -%}
    {%- for field in fields -%}
        {%- set form = forms.setdefault(field[0], {'code': field[0], 'fields': [], 'breakdowns': []}) -%}
        {%- if field[2] == 'breakdown' -%}
            {%- do form.breakdowns.append("coalesce(form." ~ adapter.quote(field[1]) ~ ", '')") -%}
        {%- else -%}
            {%- do form.fields.append({'code': field[1], 'unit': field[3], 'source_unit': field[4]}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for form in forms.values() if form.fields -%}
        {#- Several records of a report that has no breakdown are told apart by their number. -#}
        {%- do form.update({'breakdown': form.breakdowns | join(" || '|' || ")
            or "case when form.record_no > 1 then '#' || form.record_no else '' end"}) -%}
        {%- do found.append(form) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
