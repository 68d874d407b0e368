JSON.parse('['+'1,'.repeat(1e5)+'1]',function(k,v){return new Array(100).fill(v)})
