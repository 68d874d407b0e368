f=new Intl.DateTimeFormat('ja-u-ca-japanese',{dateStyle:'full',timeStyle:'full'});for(let i=0;;i++)f.formatRange(i*1e9,i*1e9+1e8)
