/* The kernel for x86-64 with AVX2, sixteen registers of four doubles. */
#define KERNEL_BYTES 32
#define KERNEL_ROWS 3
#include "resampling/kernel_body.h"

const kernel kernel_avx2 = {"AVX2", fill, draw, accumulate};
