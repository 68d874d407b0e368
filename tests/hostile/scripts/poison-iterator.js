Array.prototype[Symbol.iterator]=function*(){for(;;)yield 1};new Headers([['a','b']]);console.log(...[1,2]);new Map([[1,2]])
