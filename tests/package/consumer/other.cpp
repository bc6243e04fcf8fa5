// The second translation unit: what is not inline in a header is defined twice, and the link fails.
#include "everything.hpp"

persona::Tensor ones_of_other() { return at::ones({2, 3}); }
