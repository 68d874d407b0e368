// Isolates in Deno: Web Workers. Arguments: starts COUNT | idle COUNT (the contract is in program.py).
const program = new URL('./deno_isolate.mjs', import.meta.url)

function firstAnswer() {
  const thread = new Worker(program, { type: 'module' })
  return new Promise((resolve, reject) => {
    thread.onmessage = () => resolve(thread)
    thread.onerror = reject
    thread.postMessage('hello')
  })
}

// What only the first isolates of a process pay is no property of an isolate: they come and go unmeasured.
async function prime(count) {
  for (let i = 0; i < count; i++) {
    const thread = await firstAnswer()
    thread.terminate()
  }
}

async function starts(count) {
  const times = []
  await prime(3)
  for (let i = 0; i < count; i++) {
    const begin = performance.now()
    const thread = await firstAnswer()
    times.push(performance.now() - begin)
    thread.terminate()
  }
  console.log(JSON.stringify({ cold: times }))
}

async function idle(count) {
  await prime(1)
  const begin = performance.now()
  const threads = []
  for (let i = 0; i < count; i++) threads.push(await firstAnswer())
  console.log(JSON.stringify({ seconds: (performance.now() - begin) / 1000 }))
  for await (const _ of Deno.stdin.readable);
  Deno.exit(threads.length === count ? 0 : 1)
}

await { starts, idle }[Deno.args[0]](Number(Deno.args[1]))
Deno.exit(0)
