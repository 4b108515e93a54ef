/* The version, as CMakeLists.txt states it. */
#include <bordin/core/version.h>

const char *bd_version(void)
{
    return BORDIN_VERSION;
}
