s=new Intl.Segmenter('hi',{granularity:'grapheme'}).segment('\u0915\u094d'.repeat(1e7));for(;;)s.containing(9999999)
