{#-
    What is counted of reports for the rates of reporting quality: columns by the fact that has them.

    They are added up as columns, and become one row a rate only at the end: that costs a fraction of adding up rows.
-#}
{% macro reporting_counts() -%}
    {{ return([
        {
            'fact': ref('fct_report_timeliness'), 'form': 'fact.form_code', 'day': 'fact.period_start',
            'counts': {
                'reports_due': "(fact.status <> 'exempt')",
                'reports_received': "(fact.status in ('on_time', 'late'))",
                'reports_on_time': "(fact.status = 'on_time')"
            }
        },
        {
            'fact': ref('fct_report_quality'), 'form': 'fact.form_code', 'day': 'fact.period_start',
            'counts': {
                'items_required': 'fact.items_required', 'items_filled': 'fact.items_filled', 'cards': 'fact.cards',
                'cards_complete': 'fact.cards_complete', 'reports_accepted': '(fact.submissions_accepted > 0)',
                'reports_amended': '(fact.submissions_accepted > 1)', 'submissions': 'fact.submissions',
                'submissions_returned': 'fact.submissions_returned', 'cells_checked': 'fact.cells_checked',
                'checks_failed': 'fact.checks_failed'
            }
        },
        {
            'fact': ref('fct_disease_card_count'), 'form': "'idr_card'", 'day': 'fact.month_start',
            'counts': {
                'cards_entry_timed': 'fact.cards_entry_timed', 'cards_entered_late': 'fact.cards_entered_late',
                'cards_audit_timed': 'fact.cards_audit_timed', 'cards_audited_late': 'fact.cards_audited_late'
            }
        },
        {
            'fact': ref('fct_disease_card_repeat'), 'form': "'idr_card'", 'day': 'fact.month_start',
            'counts': {'cards_compared': 'fact.cards_compared', 'cards_repeated': 'fact.cards_repeated'}
        }
    ]) }}
{%- endmacro %}

{#- A select list with every count in the place of #. -#}
{% macro each_reporting_count(column) -%}
    {%- set columns = [] -%}
    {%- for source in reporting_counts() -%}
        {%- for count in source['counts'] -%}
            {%- do columns.append(column | replace('#', count)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ columns | join(', ') }}
{%- endmacro %}

{#- The counts of each row of these facts, by unit, form, period and the year in which they count. -#}
{% macro reporting_counts_given() -%}
    {%- for source in reporting_counts() %}
    select
        fact.organization_key,
        fact.region_code,
        {{ source.form }} as form_code,
        fact.period_type,
        fact.period_start,
        fact.period_end,
        date_trunc('year', {{ source.day }})::date as year_start
        {%- for other in reporting_counts() %}
        {%- for count in other['counts'] %},
        {{ source['counts'][count] ~ '::int' if count in source['counts'] else '0' }} as {{ count }}
        {%- endfor %}
        {%- endfor %}
    from {{ at_candidate(source.fact) }} as fact
    where {{ changed_days(source.day) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
