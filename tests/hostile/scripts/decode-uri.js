decodeURIComponent('%C3%A9'.repeat(3e7))
