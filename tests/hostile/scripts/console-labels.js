for(let i=0;;i++){console.count('k'+i);console.time('t'+i);console.group('g'+i)}
