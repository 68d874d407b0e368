// Isolates in Node: threads of worker_threads. Arguments: starts COUNT | idle COUNT (the contract is in program.py).
import { Worker } from 'node:worker_threads'

const program = new URL('./node_isolate.mjs', import.meta.url)

function firstAnswer() {
  const thread = new Worker(program)
  return new Promise((resolve, reject) => {
    thread.once('message', () => resolve(thread))
    thread.once('error', reject)
    thread.postMessage('hello')
  })
}

// What only the first isolates of a process pay is no property of an isolate: they come and go unmeasured.
async function prime(count) {
  for (let i = 0; i < count; i++) {
    const thread = await firstAnswer()
    await thread.terminate()
  }
}

async function starts(count) {
  const times = []
  await prime(3)
  for (let i = 0; i < count; i++) {
    const begin = performance.now()
    const thread = await firstAnswer()
    times.push(performance.now() - begin)
    await thread.terminate()
  }
  console.log(JSON.stringify({ cold: times }))
}

async function idle(count) {
  await prime(1)
  const begin = performance.now()
  const threads = []
  for (let i = 0; i < count; i++) threads.push(await firstAnswer())
  console.log(JSON.stringify({ seconds: (performance.now() - begin) / 1000 }))
  process.stdin.on('end', () => process.exit(threads.length === count ? 0 : 1)).resume()
}

await { starts, idle }[process.argv[2]](Number(process.argv[3]))
