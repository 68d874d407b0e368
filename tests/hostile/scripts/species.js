class A extends Array{static get [Symbol.species](){return function(n){return new Array(2**27)}}};for(;;)new A(1,2,3).map(x=>x)
