e=new TextEncoder;s='\u1234'.repeat(5e6);for(;;)e.encode(s)
