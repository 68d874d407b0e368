// Tenants in Deno: Web Workers. Arguments: tenants FILE MIB (the contract is in program.py; the limit is V8's flag).
const program = `self.onmessage = (event) => {
  if (event.data === 'go') run()
  self.postMessage(event.data)
}
function run() {\n${Deno.readTextFileSync(Deno.args[1])}\n}`
const url = URL.createObjectURL(new Blob([program], { type: 'application/javascript' }))

const say = (event, how, reason) => console.log(JSON.stringify({ event, how, reason }))
const make = () => new Worker(url, { type: 'module' })

function ask(thread) {
  return new Promise((resolve) => {
    thread.addEventListener('message', resolve, { once: true })
    thread.postMessage('ask')
  })
}

function go(thread) {
  thread.addEventListener('message', () => say('over', 'returned', ''), { once: true })
  thread.addEventListener('error', (event) => {
    event.preventDefault() // else the whole process ends
    say('over', /heap|memory/i.test(event.message) ? 'limit' : 'exception', event.message)
  })
  thread.postMessage('go')
}

const [hostile, neighbour] = [make(), make()]
await Promise.all([ask(hostile), ask(neighbour)])
say('ready')
let rest = ''
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const words = (rest + text).split('\n')
  rest = words.pop()
  for (const word of words) {
    if (word === 'go') go(hostile)
    if (word === 'ask') ask(neighbour).then(() => say('answer'))
    if (word === 'fresh') ask(make()).then(() => say('fresh'))
  }
}
Deno.exit(0)
