s='a'.repeat(2**27);for(;;)btoa(s)
