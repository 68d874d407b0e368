for(;;)new Intl.Locale('en-u-'+'ca-gregory-'.repeat(1e5)+'x')
