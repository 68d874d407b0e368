JSON.parse('['.repeat(1e7)+']'.repeat(1e7))
