console.log('x'.repeat(2**28))
