// Programs of the tree name their loader by its absolute path, which is known only here.
#pragma once

// Makes the program in `fd` start with the loader of the tree in `folder`, if its interpreter begins with '#': these
// are replaced by the folder, the rest stays. Other files are left as they are. False, with errno, if it cannot.
int point_to_own_loader(int fd, const char* folder);
