throw new AggregateError(Array.from({length:1e6},(_,i)=>new Error('e'+i)))
