for(let i=0;;i++)await import('./main.js?'+i)
