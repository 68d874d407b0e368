r=/(?:)/gy;for(;;)r[Symbol.replace]('x'.repeat(1e6),'$`')
