new RegExp('(a)'.repeat(60000)).exec('a'.repeat(60000))
