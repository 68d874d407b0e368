export default {fetch: () => ({then() { for (;;); }})}
