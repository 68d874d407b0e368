s='YWFh'.repeat(2**24);for(;;)atob(s)
