{#- The first value given for a column over the parts of one report; `of` gives that record's other column.

    A bulletin that carries both measures (part '') comes before files of one measure. -#}
{% macro first_given(column, of=none) -%}
    (array_agg(record.{{ of or column }} order by record.part) filter (where record.{{ column }} is not null))[1]
{%- endmacro %}
