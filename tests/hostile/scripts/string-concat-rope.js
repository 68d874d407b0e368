s='x';for(let i=0;i<29;i++)s+=s;s.at(5);for(;;)(s+'y').at(-1)
