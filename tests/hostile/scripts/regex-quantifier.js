new RegExp('(?:a{0,1000}){0,1000}'.repeat(50)+'b').test('a'.repeat(1000))
