setInterval(() => {}, 1)
