for(;;)escape('\u1234'.repeat(5e6))
