o={};for(let i=0;;i++)Object.defineProperty(o,'x',{get(){return i},configurable:true})
