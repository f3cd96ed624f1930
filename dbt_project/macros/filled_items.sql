{#-
    Required items of every report and how many of them are filled, as rows: one select a form that has changes in scope.

    Required is what the form's definition says of a field that is stored as it came, and what seed required_item adds
    for cards. A cell that says why it is empty is filled. Of cards every one counts, those set aside too.
-#}
{% macro filled_items() -%}
    {%- set forms = forms_with_required_items() -%}
    {%- for form in forms.values() %}
    select
        report.report_id,
        count(*) * {{ form['items'] | length }} as items_required,
        sum(asked.filled)::bigint as items_filled,
        {{ 'count(*)' if form.is_of_cards else '0::bigint' }} as cards,
        {{ 'count(*) filter (where asked.filled = ' ~ form['items'] | length ~ ')' if form.is_of_cards else '0::bigint' }}
            as cards_complete
    from {{ ref('stg_registry__report') }} as report
    inner join raw.{{ adapter.quote(form.code) }} as form on report.revision_id = form.revision_id
    cross join lateral (
        select
            num_nonnulls({% for item in form['items'] %}form.{{ adapter.quote(item) }}{{ ', ' if not loop.last }}{% endfor %})
            + case
                when form.null_reasons is null then 0
                else {% for item in form['items'] -%}
                    jsonb_exists(form.null_reasons, '{{ item }}')::int{{ ' + ' if not loop.last }}
                {%- endfor %}
            end as filled
    ) as asked
    where report.form_code = '{{ form.code }}' and {{ in_scope('report') }}
    group by report.report_id
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        0::bigint as report_id,
        0::bigint as items_required,
        0::bigint as items_filled,
        0::bigint as cards,
        0::bigint as cards_complete
    where false
    {%- endfor %}
{%- endmacro %}

{#- Forms with changes in scope by code: {code, is_of_cards, items}. What only some editions ask for is left out. -#}
{% macro forms_with_required_items() -%}
    {%- if not execute -%}{{ return({}) }}{%- endif -%}
    {%- set rows = run_query(
        "select distinct asked.form_code, asked.field_code, form.is_of_cards from ("
        ~ " select form.form_code, field ->> 'code' as field_code"
        ~ " from " ~ source('registry', 'form') ~ " as form, jsonb_array_elements(form.definition -> 'fields') as field"
        ~ " where (field ->> 'required')::boolean and field ->> 'personal' is null and field ->> 'editions' is null"
        ~ " union select form_code, field_code from " ~ ref('required_item')
        ~ ") as asked inner join ("
        ~ " select form_code, bool_or(jsonb_typeof(definition -> 'cards') = 'object') as is_of_cards"
        ~ " from " ~ source('registry', 'form') ~ " group by form_code"
        ~ ") as form on asked.form_code = form.form_code"
        ~ " inner join information_schema.columns as stored on stored.table_schema = 'raw'"
        ~ " and stored.table_name = asked.form_code and stored.column_name = asked.field_code"
        ~ (" where asked.form_code in (" ~ candidate_changes('r.form_code', none) ~ ")" if is_incremental() else "")
        ~ " order by 1, 2"
    ).rows -%}
    {%- set forms = {} -%}
    {%- for row in rows -%}
        {%- set form = forms.setdefault(row[0], {'code': row[0], 'is_of_cards': row[2], 'items': []}) -%}
        {%- do form['items'].append(row[1]) -%}
    {%- endfor -%}
    {{ return(forms) }}
{%- endmacro %}
