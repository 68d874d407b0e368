for(;;)encodeURIComponent('\u00e9'.repeat(3e7))
