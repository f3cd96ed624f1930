{#- A table of the star as BI reads it: the release that the reader's session shows. For analyses. -#}
{% macro published(relation) -%}
    published.{{ adapter.quote(relation.identifier) }}
{%- endmacro %}
