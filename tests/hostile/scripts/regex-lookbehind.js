/(?<=(x+x+)+y)z/.test('x'.repeat(50)+'z')
