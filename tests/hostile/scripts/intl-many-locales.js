a=[];for(let i=0;;i++)a.push(new Intl.NumberFormat('en-u-nu-'+['arab','deva','thai','latn'][i%4],{style:'currency',currency:'EUR'}))
