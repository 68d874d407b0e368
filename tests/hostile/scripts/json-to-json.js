o={toJSON(){return [o,o]}};JSON.stringify(o)
