a=Array.from({length:1e5},(_,i)=>'\u00e9'.repeat(200)+i);c=new Intl.Collator('de');for(;;)a.sort(c.compare)
