/* The message of this thread's last failure. */
#include <bordin/core/status.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = 4096 };

static _Thread_local char message[MESSAGE_SIZE];

bd_status bd_fail(bd_status status, const char *format, ...)
{
    char text[MESSAGE_SIZE]; /* an argument may point into the old message */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(message, text, sizeof message);
    return status;
}

bd_status bd_while(bd_status status, const char *format, ...)
{
    if (status == BD_OK)
        return status;
    char where[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(where, sizeof where, format, arguments);
    va_end(arguments);
    return bd_fail(status, "%s: %s", where, message);
}

const char *bd_message(void)
{
    return message;
}
