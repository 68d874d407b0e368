for(let i=0;;i++){let f=new Function('o','for(let j=0;j<2000;j++)o.x'+(i%50)+'=j;return o');f({['x'+(i%50)]:1,['y'+i]:2})}
