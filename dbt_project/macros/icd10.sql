{#- Chapter of an ICD-10 code (I to XXII), null where the code has none. Chapters are the same in all versions. -#}
{% macro icd10_chapter(column) -%}
    {%- set chapters = [
        ('I', 'A00', 'B99'), ('II', 'C00', 'D48'), ('III', 'D50', 'D89'), ('IV', 'E00', 'E90'), ('V', 'F00', 'F99'),
        ('VI', 'G00', 'G99'), ('VII', 'H00', 'H59'), ('VIII', 'H60', 'H95'), ('IX', 'I00', 'I99'), ('X', 'J00', 'J99'),
        ('XI', 'K00', 'K93'), ('XII', 'L00', 'L99'), ('XIII', 'M00', 'M99'), ('XIV', 'N00', 'N99'),
        ('XV', 'O00', 'O99'), ('XVI', 'P00', 'P96'), ('XVII', 'Q00', 'Q99'), ('XVIII', 'R00', 'R99'),
        ('XIX', 'S00', 'T98'), ('XX', 'V01', 'Y98'), ('XXI', 'Z00', 'Z99'), ('XXII', 'U00', 'U99')
    ] -%}
    case
    {%- for chapter, first, last in chapters %}
        when left(upper({{ column }}), 3) collate "C" between '{{ first }}' and '{{ last }}' then '{{ chapter }}'
    {%- endfor %}
    end
{%- endmacro %}

{#- Whether the first three characters of an ICD-10 code lie within one of the ranges, such as 'C00-C97'. -#}
{% macro icd10_within(column, ranges) -%}
    (
    {%- for range in ranges -%}
        left(upper({{ column }}), 3) collate "C" between '{{ range[:3] }}' and '{{ range[-3:] }}'
        {{- ' or ' if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}
