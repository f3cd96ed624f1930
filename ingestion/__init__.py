"""From a file in an inbox to accepted reports: readers, forms, checks, registry."""
