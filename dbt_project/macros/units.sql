{#- Money and quantities in the unit that the form declares, from the unit that the source prints. -#}
{% macro unit_factor(source_unit, unit) -%}
    {%- set factors = {'千元/元': 1000, '万元/元': 10000, '亿元/元': 100000000} -%}
    {%- if not source_unit or source_unit == unit -%}1
    {%- elif source_unit ~ '/' ~ unit in factors -%}{{ factors[source_unit ~ '/' ~ unit] }}
    {%- else -%}{{ exceptions.raise_compiler_error('No factor is known from ' ~ source_unit ~ ' to ' ~ unit ~ '.') }}
    {%- endif -%}
{%- endmacro %}

{% macro in_yuan(column, source_unit) -%}
    ({{ column }} * {{ unit_factor(source_unit, '元') }})
{%- endmacro %}
