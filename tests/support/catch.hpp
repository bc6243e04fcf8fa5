#pragma once
// LibTorch defines glog-like macros whose CHECK aborts the process; whichever header comes second wins silently.
// So: LibTorch first, its macros gone, then Catch2. Tests include this file and never Catch2 itself.

#include <persona/core/tensor.hpp>

#undef CHECK
#undef CHECK_EQ
#undef CHECK_NE
#undef CHECK_LT
#undef CHECK_LE
#undef CHECK_GT
#undef CHECK_GE
#undef CHECK_NOTNULL
#undef DCHECK
#undef LOG
#undef FAIL

#include <catch2/catch.hpp>
