{#-
    Cumulative forms report what has been done since 1 January. A quarter's own number is the difference to the report
    of the quarter before; without that report it is unknown, and never zero.

    A model names its rows stg, declares {also: later_quarters}, and writes
        {{ quarter_before(ref('stg_raw__…'), ['breakdown']) }}   in its from clause
        {{ of_the_quarter('newborns') }} as newborns_of_quarter    in its select list
        {{ is_restated(['newborns', …]) }} as is_restated          where a difference below zero shows a correction
-#}

{#- Joins the same unit's report of the quarter before in the same year, as `before`. -#}
{% macro quarter_before(relation, breakdowns=[]) -%}
    left join {{ relation }} as before
        on stg.subject_code = before.subject_code
            and stg.part = before.part
            and date_trunc('year', stg.period_end) = date_trunc('year', before.period_end)
            and before.period_end = (date_trunc('quarter', stg.period_end) - interval '1 day')::date
    {%- for breakdown in breakdowns %}
            and stg.{{ breakdown }} = before.{{ breakdown }}
    {%- endfor %}
{%- endmacro %}

{% macro of_the_quarter(column) -%}
    case when extract(month from stg.period_end) <= 3 then stg.{{ column }} else stg.{{ column }} - before.{{ column }} end
{%- endmacro %}

{#- Whether any of the running totals fell: an earlier quarter was put right in this one. -#}
{% macro is_restated(columns) -%}
    extract(month from stg.period_end) > 3
    and coalesce(
        least(
        {%- for column in columns %}
            stg.{{ column }} - before.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
        ) < 0,
        false
    )
{%- endmacro %}
