for(let i=0;;i++)(0,eval)('var v'+i+'=function*(){yield '+i+'}')
