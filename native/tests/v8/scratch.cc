#include "host.h"
TEST(hello) {
  Program program("on.dispatch = (id) => answer(id, 'hello')");
  CHECK_EQ(program.Ask(1), "hello");
}
TEST(self_import) {
  Program program("globalThis.p = import('./main.mjs'); on.dispatch = async (id) => { const m = await p; answer(id, typeof m); }; export default 1");
  CHECK_EQ(program.Ask(1), "object");
}
