i=(function*(){for(;;)yield 1})();for(let n=0;n<1e4;n++)i=i.map(x=>x);i.next()
