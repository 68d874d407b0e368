for(;;)process.exit(1)
