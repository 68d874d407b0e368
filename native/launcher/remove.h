// Folders with all that is in them.
#pragma once

// Deletes `name`, relative to the folder `at`. What cannot be deleted stays.
void remove_tree(int at, const char* name);
