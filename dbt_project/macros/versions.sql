{#- Joins that find the version of a unit or region in force at the end of a report's period. -#}
{% macro organization_at(alias, key, day) -%}
    left join {{ at_candidate(ref('dim_organization')) }} as {{ alias }}
        on {{ key }} = {{ alias }}.organization_key
            and {{ day }} >= {{ alias }}.applies_from
            and {{ day }} < {{ alias }}.valid_to
{%- endmacro %}
