t={then(r){r(t)}};Promise.resolve(t)
