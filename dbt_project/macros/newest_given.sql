{#- The value of a column that was received last over the parts of one report; `of` gives that record's other column.

    A bulletin that carries both measures (part '') and files of one measure may both bring a number. -#}
{% macro newest_given(column, of=none) -%}
    (
        array_agg(record.{{ of or column }} order by record.received_at desc nulls last, record.part)
        filter (where record.{{ column }} is not null)
    )[1]
{%- endmacro %}
