export default {fetch: () => new Response(new ReadableStream({}))}
