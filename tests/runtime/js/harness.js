// A registry of tests that runs inside an isolate. Each *.test.js is a task of its own: any request to it runs its
// tests one after another and is answered with JSON: [{name, ok, error}].

const tests = [];

export function test(name, run) {
  tests.push({ name, run });
}

async function runAll() {
  const results = [];
  for (const { name, run } of tests) {
    try {
      await run();
      results.push({ name, ok: true, error: null });
    } catch (error) {
      results.push({ name, ok: false, error: String(error?.stack ?? error) });
    }
  }
  return results;
}

export const suite = {
  async fetch() {
    return Response.json(await runAll());
  },
};

const show = (value) => (typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' ? JSON.stringify(value) : String(value));

export function ok(value, what = 'value') {
  if (!value) throw new Error(`${what} is ${show(value)}`);
}

export function equal(actual, expected, what = 'value') {
  if (!Object.is(actual, expected)) throw new Error(`${what} is ${show(actual)}, expected ${show(expected)}`);
}

// For arrays and plain objects of JSON's types.
export function same(actual, expected, what = 'value') {
  const one = JSON.stringify(actual);
  const other = JSON.stringify(expected);
  if (one !== other) throw new Error(`${what} is ${one}, expected ${other}`);
}

function check(error, wanted) {
  if (typeof wanted === 'string' ? error?.name !== wanted : !(error instanceof wanted)) {
    throw new Error(`threw ${String(error)}, expected ${typeof wanted === 'string' ? wanted : wanted.name}`);
  }
  return error;
}

// `wanted`: a constructor, or the name of a DOMException. Returns the error.
export function throws(run, wanted) {
  try {
    run();
  } catch (error) {
    return check(error, wanted);
  }
  throw new Error(`did not throw ${typeof wanted === 'string' ? wanted : wanted.name}`);
}

export async function rejects(promise, wanted) {
  try {
    await promise;
  } catch (error) {
    return check(error, wanted);
  }
  throw new Error(`did not reject with ${typeof wanted === 'string' ? wanted : wanted.name}`);
}

export const bytes = (...values) => new Uint8Array(values);
export const utf8 = (text) => new TextEncoder().encode(text);
export const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
