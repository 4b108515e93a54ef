/* The kernel for any processor. */
#define KERNEL_BYTES 16
#define KERNEL_ROWS 1
#include "resampling/kernel_body.h"

const kernel kernel_baseline = {"baseline", fill, draw, accumulate};
