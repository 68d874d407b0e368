for(;;)new URL('http://a/'+'\u00e9/../'.repeat(3e6))
