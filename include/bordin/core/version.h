/* Which bordin this is. */
#ifndef BORDIN_CORE_VERSION_H
#define BORDIN_CORE_VERSION_H

/* "major.minor.patch" */
const char *bd_version(void);

#endif
