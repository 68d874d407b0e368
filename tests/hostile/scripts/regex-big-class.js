for(let i=0;;i++)new RegExp('['+String.fromCodePoint(0x10000+i%5000)+'-\u{10ffff}\\p{L}\\p{N}]{1,1000}'.repeat(20),'iu').test('x')
