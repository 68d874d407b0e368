Reflect.construct(Array,{length:2**25})
