u=new URLSearchParams('a=b&'.repeat(3e6));for(;;)u.sort()
