s='x'.repeat(2**27);t=s+'a';u=s+'b';for(;;)t<u
