String.fromCodePoint(...new Array(1e5).fill(65),...new Array(1e6).fill(66))
