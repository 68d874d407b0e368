a=[];for(;;){let t=new WebAssembly.Table({initial:1e5,element:'externref'});for(let i=0;i<1e5;i++)t.set(i,{i});a.push(t)}
