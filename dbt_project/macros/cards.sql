{#-
    Cards count in their newest version over all batches that count, and not when they were set aside.

    Stands in the where clause of a staging view that reads raw.<form> as form and stg_registry__report as report. A
    model that reads the view declares {also: same_cards, card_key: […]} with the same key. A card whose key has a blank
    part is a card of its own.
-#}
{% macro is_newest_card(form_code, card_key) -%}
    form.set_aside is null
    and not exists (
        select 1
        from {{ source('raw', form_code) }} as newer
        inner join {{ ref('stg_registry__report') }} as newer_report
            on newer.revision_id = newer_report.revision_id
        where newer.set_aside is null
        {%- for part in card_key %}
            and newer.{{ part }} = form.{{ part }}
        {%- endfor %}
            and (newer_report.received_at, newer_report.report_id) > (report.received_at, report.report_id)
    )
{%- endmacro %}
