// app.mjs for Node, on its own http module. PORT as the only argument.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/plain;charset=UTF-8')
    response.end('hello')
    return
  }
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => response.end(Buffer.concat(chunks)))
})
server.listen(Number(process.argv[2]), '127.0.0.1')
