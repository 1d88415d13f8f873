"""Reports, tables and figures for people, in English and Ukrainian."""
