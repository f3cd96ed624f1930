{#-
    Diseases whose single cases are never rows of a published table: HIV and AIDS, syphilis, gonorrhoea and what else is
    passed on sexually. They are counted by county and month alone.
-#}
{% macro sensitive_diseases() -%}
    '0600', 'HIV', '0700', '0800', '0801', '0802', '0803', '0804', '0805', 'NGU', 'CONDYLOMA', 'HERPES', 'CHLAMYDIA'
{%- endmacro %}
