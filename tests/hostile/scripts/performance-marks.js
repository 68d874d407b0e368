for(let i=0;;i++)performance.mark('m'+i)
