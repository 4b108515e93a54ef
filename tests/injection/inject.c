/* Makes calls fail, to be preloaded: what a program does when memory, a disk or a file gives out.
 *
 *     LD_PRELOAD=inject.so BORDIN_INJECT=malloc:17 bordin ...       the 17th allocation returns NULL
 *     LD_PRELOAD=inject.so BORDIN_INJECT=write:2+ bordin ...        the 2nd write and all after it find the disk full
 *     LD_PRELOAD=inject.so BORDIN_INJECT=read:count bordin ...      says at exit how many reads there were
 *
 * Counting begins in this object's constructor: what the loader and the constructors of libraries do is left alone. So
 * are the allocations of LLVM's libomp, which aborts or crashes without memory (GCC's libgomp exits with a message).
 * Streams call the kernel without going through write() and read(); for these two kinds they get a cookie that does.
 * Standard error is never made to fail, since what is said there is under test. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { NONE, MEMORY, READ, WRITE };

static const char *const kind_names[] = {[NONE] = "", [MEMORY] = "malloc", [READ] = "read", [WRITE] = "write"};

static enum kind chosen;
static unsigned long target; /* 0: only count */
static bool onwards;
static atomic_bool counting;
static atomic_ulong n_calls;

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void (*free)(void *);
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*write)(int, const void *, size_t);
    FILE *(*fopen)(const char *, const char *);
    FILE *(*fdopen)(int, const char *);
} next;

/* dlsym() itself may allocate: from here, never returned. */
static _Alignas(max_align_t) unsigned char pool[4096];
static size_t pool_used;
static bool resolving, resolved;

static void *from_pool(size_t size)
{
    const size_t rounded = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (size > sizeof pool || rounded > sizeof pool - pool_used)
        abort();
    void *memory = pool + pool_used;
    pool_used += rounded;
    return memory;
}

static bool in_pool(const void *memory)
{
    return (uintptr_t)memory >= (uintptr_t)pool && (uintptr_t)memory < (uintptr_t)pool + sizeof pool;
}

static void find(const char *name, void *function)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(function, &symbol, sizeof symbol);
}

static bool ready(void)
{
    if (resolved)
        return true;
    if (resolving)
        return false;
    resolving = true;
    find("malloc", &next.malloc);
    find("calloc", &next.calloc);
    find("realloc", &next.realloc);
    find("posix_memalign", &next.posix_memalign);
    find("aligned_alloc", &next.aligned_alloc);
    find("free", &next.free);
    find("read", &next.read);
    find("write", &next.write);
    find("fopen", &next.fopen);
    find("fdopen", &next.fdopen);
    resolved = true;
    return true;
}

static bool fails(enum kind kind)
{
    if (!atomic_load(&counting) || kind != chosen)
        return false;
    const unsigned long k = atomic_fetch_add(&n_calls, 1) + 1;
    return target != 0 && (k == target || (onwards && k > target));
}

/* Where libomp is, if it is there at all. */
static uintptr_t libomp_start, libomp_end;

static int look_for_libomp(struct dl_phdr_info *object, size_t size, void *data)
{
    (void)size;
    (void)data;
    if (object->dlpi_name == NULL || strstr(object->dlpi_name, "/libomp") == NULL)
        return 0;
    libomp_start = object->dlpi_addr;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const uintptr_t end = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr + object->dlpi_phdr[i].p_memsz;
        if (object->dlpi_phdr[i].p_type == PT_LOAD && end > libomp_end)
            libomp_end = end;
    }
    return 1;
}

static bool no_memory(const void *caller)
{
    if (((uintptr_t)caller >= libomp_start && (uintptr_t)caller < libomp_end) || !fails(MEMORY))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    if (!ready())
        return from_pool(size);
    return no_memory(__builtin_return_address(0)) ? NULL : next.malloc(size);
}

void *calloc(size_t n, size_t size)
{
    if (!ready())
        return from_pool(n * size); /* the pool is zero, and never used twice */
    return no_memory(__builtin_return_address(0)) ? NULL : next.calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    if (!ready() || in_pool(old))
        abort(); /* the loader does not */
    return no_memory(__builtin_return_address(0)) ? NULL : next.realloc(old, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (!ready())
        abort();
    return no_memory(__builtin_return_address(0)) ? ENOMEM : next.posix_memalign(memory, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (!ready())
        abort();
    return no_memory(__builtin_return_address(0)) ? NULL : next.aligned_alloc(alignment, size);
}

void free(void *memory)
{
    if (memory != NULL && !in_pool(memory) && ready())
        next.free(memory);
}

ssize_t read(int descriptor, void *buffer, size_t size)
{
    if (!ready())
        abort();
    if (fails(READ)) {
        errno = EIO;
        return -1;
    }
    return next.read(descriptor, buffer, size);
}

ssize_t write(int descriptor, const void *buffer, size_t size)
{
    if (!ready())
        abort();
    if (descriptor != STDERR_FILENO && fails(WRITE)) {
        errno = ENOSPC;
        return -1;
    }
    return next.write(descriptor, buffer, size);
}

static int descriptor_of(void *cookie)
{
    return (int)(intptr_t)cookie;
}

static ssize_t cookie_read(void *cookie, char *buffer, size_t size)
{
    return read(descriptor_of(cookie), buffer, size);
}

static ssize_t cookie_write(void *cookie, const char *buffer, size_t size)
{
    size_t done = 0;
    while (done < size) {
        const ssize_t n = write(descriptor_of(cookie), buffer + done, size - done);
        if (n < 0)
            break; /* too few is how a cookie tells of an error */
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static int cookie_seek(void *cookie, off64_t *offset, int whence)
{
    *offset = lseek64(descriptor_of(cookie), *offset, whence);
    return *offset < 0 ? -1 : 0;
}

static int cookie_close(void *cookie)
{
    return close(descriptor_of(cookie));
}

/* NULL when there is no memory; the descriptor is then as it was. */
static FILE *cookie_stream(int descriptor, const char *mode)
{
    const cookie_io_functions_t functions = {
        .read = cookie_read, .write = cookie_write, .seek = cookie_seek, .close = cookie_close};
    FILE *stream = fopencookie((void *)(intptr_t)descriptor, mode, functions);
    if (stream != NULL)
        stream->_fileno = descriptor; /* for fileno() */
    return stream;
}

FILE *fdopen(int descriptor, const char *mode)
{
    if (!ready())
        abort();
    return chosen == READ || chosen == WRITE ? cookie_stream(descriptor, mode) : next.fdopen(descriptor, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    if (!ready())
        abort();
    FILE *plain = next.fopen(path, mode); /* which knows the modes */
    if (plain == NULL || (chosen != READ && chosen != WRITE))
        return plain;
    const int descriptor = fcntl(fileno(plain), F_DUPFD_CLOEXEC, 0);
    fclose(plain);
    if (descriptor < 0)
        return NULL;
    FILE *stream = cookie_stream(descriptor, mode);
    if (stream == NULL)
        close(descriptor);
    return stream;
}

/* KIND:K, KIND:K+ or KIND:count */
static void understand(const char *text)
{
    const char *colon = strchr(text, ':');
    const size_t length = colon == NULL ? 0 : (size_t)(colon - text);
    for (enum kind kind = MEMORY; colon != NULL && kind <= WRITE; kind++)
        if (strlen(kind_names[kind]) == length && strncmp(text, kind_names[kind], length) == 0)
            chosen = kind;
    char *end = NULL;
    if (chosen != NONE && strcmp(colon + 1, "count") == 0)
        return;
    target = chosen == NONE ? 0 : strtoul(colon + 1, &end, 10);
    onwards = target != 0 && *end == '+';
    if (target == 0 || end[onwards ? 1 : 0] != '\0') {
        dprintf(STDERR_FILENO, "inject: cannot read BORDIN_INJECT=%s\n", text);
        _exit(99);
    }
}

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("BORDIN_INJECT");
    ready();
    if (text == NULL)
        return;
    dl_iterate_phdr(look_for_libomp, NULL);
    understand(text);
    if (chosen == WRITE) {
        FILE *stream = cookie_stream(STDOUT_FILENO, "w");
        if (stream == NULL)
            _exit(99);
        stdout = stream;
    }
    atomic_store(&counting, true);
}

__attribute__((destructor)) static void stop(void)
{
    atomic_store(&counting, false);
    if (chosen != NONE && target == 0)
        dprintf(STDERR_FILENO, "inject: %lu calls of %s\n", atomic_load(&n_calls), kind_names[chosen]);
}
