s=' '.repeat(1e8)+'1';for(;;)Date.parse(s)
