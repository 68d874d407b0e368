/^(.*?)\1+$(?!.)./s.test('ab'.repeat(1e5)+'c')
