(function*(){for(;;)yield 1})().flatMap(x=>[x,x,x]).reduce((a,b)=>a+b)
