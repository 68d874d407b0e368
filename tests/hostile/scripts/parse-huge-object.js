eval('({'+Array.from({length:1e6},(_,i)=>'k'+i+':'+i).join(',')+'})')
