#pragma once

#include "pair_table.h"

namespace isolated {

// Adds to ICU's table of Big5 what it lacks of the Encoding Standard's: the characters of HKSCS-2008 and a few more.
void AddToBig5(PairTable* table);

}  // namespace isolated
