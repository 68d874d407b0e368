// Tenants in Node: threads of worker_threads. Arguments: tenants FILE MIB (the contract is in program.py).
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'

const [file, limit] = process.argv.slice(3)
const program = `const { parentPort } = require('node:worker_threads')
parentPort.on('message', (word) => {
  if (word === 'go') run()
  parentPort.postMessage(word)
})
function run() {\n${readFileSync(file, 'utf8')}\n}`

const say = (event, how, reason) => process.stdout.write(JSON.stringify({ event, how, reason }) + '\n')
const make = () => new Worker(program, { eval: true, resourceLimits: { maxOldGenerationSizeMb: Number(limit) } })

function ask(thread) {
  return new Promise((resolve) => {
    thread.once('message', resolve)
    thread.postMessage('ask')
  })
}

function go(thread) {
  thread.once('message', () => say('over', 'returned', ''))
  thread.once('error', (error) => {
    const how = error?.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'limit' : 'exception'
    say('over', how, error?.code ?? String(error))
  })
  thread.postMessage('go')
}

const [hostile, neighbour] = [make(), make()]
await Promise.all([ask(hostile), ask(neighbour)])
say('ready')
for await (const word of createInterface({ input: process.stdin })) {
  if (word === 'go') go(hostile)
  if (word === 'ask') ask(neighbour).then(() => say('answer'))
  if (word === 'fresh') ask(make()).then(() => say('fresh'))
}
process.exit(0)
