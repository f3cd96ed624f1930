{#- A table of the star as BI reads it: the release that the reader's session shows. For analyses. -#}
{% macro published(relation) -%}
    published.{{ (relation | string).split('.')[-1] }}
{%- endmacro %}

{#- Every published version of its rows, with release_from and release_to: for questions that compare releases. -#}
{% macro released(relation) -%}
    released.{{ (relation | string).split('.')[-1] }}
{%- endmacro %}
