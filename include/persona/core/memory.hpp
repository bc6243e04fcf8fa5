#pragma once

#include <cstdlib>  // names the C library

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace persona {

/// Lets the process keep the memory that it frees; call it once, where a program begins. A training step frees and asks
/// for the same large blocks again and again, and glibc would give each back to the system, which clears every page
/// anew. What the process holds then stays at its peak. False where the C library has no such switch.
inline bool keep_freed_memory() {
#ifdef __GLIBC__
  return ::mallopt(M_MMAP_THRESHOLD, 1 << 30) == 1 && ::mallopt(M_TRIM_THRESHOLD, -1) == 1 &&
         ::mallopt(M_TOP_PAD, 1 << 26) == 1;
#else
  return false;
#endif
}

}  // namespace persona
