s='9'.repeat(1e8);for(;;)parseInt(s,7)
