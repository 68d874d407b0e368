for(let i=0;;i++)try{await import('./missing'+i+'.js')}catch{}
