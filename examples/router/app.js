// A small API on Hono, as it comes from npm. `./build` bundles it into app.bundle.mjs, which is what runs.
import { Hono } from 'hono';
import { logger } from 'hono/logger';
import { requestId } from 'hono/request-id';
import { streamText } from 'hono/streaming';

const books = new Map([
  ['1', { id: '1', title: 'The Mythical Man-Month' }],
  ['2', { id: '2', title: 'A Philosophy of Software Design' }],
]);

const app = new Hono();

app.use(logger());
app.use(requestId());

app.get('/', (c) => c.text('Try /books, /books/1, /count/3\n'));

app.get('/books', (c) => c.json([...books.values()]));

app.get('/books/:id', (c) => {
  const book = books.get(c.req.param('id'));
  return book ? c.json(book) : c.notFound();
});

app.post('/books', async (c) => {
  const { title } = await c.req.json();
  if (typeof title !== 'string' || title === '') return c.json({ error: 'title: a text is needed' }, 400);
  const book = { id: String(books.size + 1), title };
  books.set(book.id, book);
  return c.json(book, 201, { Location: `/books/${book.id}` });
});

// One line every 100 ms: `curl -N` shows them as they come.
app.get('/count/:to{[0-9]+}', (c) =>
  streamText(c, async (stream) => {
    for (let n = 1; n <= Number(c.req.param('to')); n++) {
      await stream.writeln(`${n}`);
      await stream.sleep(100);
    }
  }),
);

app.notFound((c) => c.json({ error: `nothing at ${c.req.path}` }, 404));

app.onError((error, c) => {
  console.error(error);
  return c.json({ error: error instanceof SyntaxError ? 'the body is not JSON' : 'internal' }, error instanceof SyntaxError ? 400 : 500);
});

export default app;
