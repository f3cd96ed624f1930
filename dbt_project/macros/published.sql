{#- A table of the star as BI reads it: the release that the reader's session shows. For analyses. -#}
{% macro published(relation) -%}
    published.{{ (relation | string).split('.')[-1] }}
{%- endmacro %}
