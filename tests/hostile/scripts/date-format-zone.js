for(let i=0;;i++)new Date(i*1e8).toLocaleString('en',{timeZone:Intl.supportedValuesOf('timeZone')[i%400]})
