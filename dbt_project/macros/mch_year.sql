{#- Maternal-child year of a day: it begins on 1 October of the calendar year before. -#}
{% macro mch_year(day) -%}
    extract(year from {{ day }} + interval '3 months')::int
{%- endmacro %}
