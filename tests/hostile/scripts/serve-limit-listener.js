for (const name of ['beforeunload', 'limit', 'error', 'unhandledrejection']) addEventListener(name, () => { for (;;); }); export default {fetch() { for (;;); }}
