for(;;)BigInt('0x'+'f'.repeat(1e8))
